"""Log lines and waits while the broker or the disk does not answer."""

from structlog.testing import capture_logs

from runtime.ports import OutcomeUnknown, RetriableError, StateRefused
from runtime.stream.backoff import MAX_RETRY_SECONDS, RetryBackoff
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scripted_ports import ScriptedState
from tests.turned_clock import TurnedClock


def a_backoff(clock: TurnedClock, *, is_exhausted: bool = False) -> RetryBackoff:
    return RetryBackoff(
        Worker(FakeEnvironment(), ScriptedState()).observer.interrupted,
        clock.monotonic,
        is_exhausted=lambda: is_exhausted,
    )


def waits(backoff: RetryBackoff, clock: TurnedClock, error: RetriableError, times: int) -> list[float]:
    """Return the waits of as many retries, each right after the last wait."""
    seen = []
    for _ in range(times):
        seen.append(backoff.wait_seconds(error))
        clock.sleep(seen[-1])
    return seen


def test_backoff_doubles_for_the_disk_only() -> None:
    for error, expected in (
        (StateRefused("disk full"), [0, 1, 2, 4, 8, 10, 10]),
        (OutcomeUnknown("no answer"), [0, 1, 1, 1, 1, 1, 1]),
    ):
        clock = TurnedClock()
        assert waits(a_backoff(clock), clock, error, 7) == expected


def test_backoff_resets_after_a_while() -> None:
    clock = TurnedClock()
    backoff = a_backoff(clock)
    waits(backoff, clock, StateRefused("disk full"), 7)
    clock.sleep(2 * MAX_RETRY_SECONDS)
    assert waits(backoff, clock, StateRefused("disk full"), 3) == [0, 1, 2]


def test_each_kind_of_error_is_logged_every_half_minute() -> None:
    clock = TurnedClock()
    backoff = a_backoff(clock)
    with capture_logs() as lines:
        waits(backoff, clock, StateRefused("disk full"), 10)
        waits(backoff, clock, OutcomeUnknown("no answer"), 40)
    assert clock.monotonic() > 90
    events = [line["event"] for line in lines]
    assert events.count("state.refused") == 2
    assert events.count("broker.lost") == 2


def test_exhausted_descriptors_are_logged_whatever_failed() -> None:
    clock = TurnedClock()
    backoff = a_backoff(clock, is_exhausted=True)
    with capture_logs() as lines:
        backoff.wait_seconds(RetriableError("all brokers are down"))
        backoff.log_unreachable(RetriableError("all brokers are down"))
    assert [line["event"] for line in lines] == ["descriptors.exhausted"]
