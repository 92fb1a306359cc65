"""The restart policy."""

import signal

import pytest

from runtime.errors import ExitCode
from runtime.supervisor.restarts import (
    FENCED_DELAY_SECONDS,
    MAX_SHORT_LIVES,
    SHORT_LIFE_SECONDS,
    Restarts,
    code_of,
    more_severe,
)

SHORT, LONG = 1.0, SHORT_LIFE_SECONDS + 1


@pytest.mark.parametrize("code", [ExitCode.USAGE, ExitCode.TOO_MANY_BAD_RECORDS, ExitCode.CONTRADICTORY])
def test_worker_with_final_exit_code_is_not_restarted(code: ExitCode) -> None:
    assert Restarts().delay_after(code, LONG) is None


@pytest.mark.parametrize("code", [ExitCode.DONE, ExitCode.UNEXPECTED, ExitCode.UNAVAILABLE])
def test_delay_doubles_until_it_is_a_crash_loop(code: ExitCode) -> None:
    restarts = Restarts()
    assert [restarts.delay_after(code, SHORT) for _ in range(MAX_SHORT_LIVES)] == [0.5, 1.0, 2.0, 4.0, None]


def test_fenced_worker_is_restarted_every_time() -> None:
    restarts = Restarts()
    delays = {restarts.delay_after(ExitCode.FATAL_KAFKA_ERROR, SHORT) for _ in range(2 * MAX_SHORT_LIVES)}

    assert delays == {FENCED_DELAY_SECONDS}
    assert restarts.delay_after(ExitCode.UNEXPECTED, SHORT) == 0.5


def test_long_life_resets_the_delay() -> None:
    restarts = Restarts()
    for _ in range(MAX_SHORT_LIVES - 1):
        restarts.delay_after(ExitCode.UNEXPECTED, SHORT)
    delays = [restarts.delay_after(ExitCode.UNEXPECTED, uptime) for uptime in (LONG, SHORT, LONG, LONG)]
    assert delays == [0.5, 1.0, 0.5, 0.5]


def test_signal_and_unknown_code_are_unexpected() -> None:
    assert {code_of(-signal.SIGKILL), code_of(77), code_of(1)} == {ExitCode.UNEXPECTED}
    assert code_of(4) is ExitCode.FATAL_KAFKA_ERROR


def test_exit_codes_are_ordered_by_severity() -> None:
    for one, other in [(0, 1), (1, 3), (3, 2), (2, 5), (5, 4), (4, 6), (0, 4)]:
        assert more_severe(ExitCode(one), ExitCode(other)) == more_severe(ExitCode(other), ExitCode(one)) == other
