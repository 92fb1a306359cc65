"""A worker that starts while another one of its name may be at work."""

from collections.abc import Callable, Sequence

import pytest

from consumer.app.member_id_file import MemberIdFile
from runtime.errors import FatalKafkaError
from runtime.kafka.admin.namesakes import MARGIN_SECONDS, POLL_SECONDS, Namesake, require_sole
from runtime.ports import RetriableError
from runtime.stream.marker_file import FakeMarkerFile
from tests.turned_clock import TurnedClock

SESSION_SECONDS = 10.0
FORMER = Namesake("w-1", "/10.0.0.1")
OTHER = Namesake("w-2", "/10.0.0.2")
NEWCOMER = Namesake("w-3", "/10.0.0.3")


def start(
    look: Callable[[float], Sequence[Namesake]], *, clock: TurnedClock, is_stopping: Callable[[], bool] = lambda: False
) -> float:
    """Start with the members that `look` returns for the elapsed seconds; return the seconds it took."""
    begun = clock.monotonic()
    require_sole(
        lambda: look(clock.monotonic() - begun),
        "w",
        former_member_id=FORMER.member_id,
        session_seconds=SESSION_SECONDS,
        clock=clock,
        is_stopping=is_stopping,
    )
    return clock.monotonic() - begun


def test_worker_without_namesakes_starts_at_once() -> None:
    assert start(lambda _: [], clock=TurnedClock()) == 0
    assert start(lambda _: [FORMER], clock=TurnedClock()) == 0


def test_worker_waits_for_dead_namesakes_session() -> None:
    took = start(lambda seconds: [FORMER, OTHER] if seconds < SESSION_SECONDS else [FORMER], clock=TurnedClock())

    assert SESSION_SECONDS <= took <= SESSION_SECONDS + POLL_SECONDS


def test_live_namesake_is_not_fenced() -> None:
    clock = TurnedClock()
    begun = clock.monotonic()
    with pytest.raises(FatalKafkaError, match=r"LINK_ACTIONS_INSTANCE_ID=w .* 10\.0\.0\.2;"):
        start(lambda _: [OTHER], clock=clock)

    assert clock.monotonic() - begun <= SESSION_SECONDS + MARGIN_SECONDS + POLL_SECONDS


def test_namesake_that_just_joined_is_alive() -> None:
    clock = TurnedClock()
    with pytest.raises(FatalKafkaError, match=r"10\.0\.0\.3"):
        start(lambda seconds: [OTHER] if seconds < 1 else [NEWCOMER], clock=clock)

    assert clock.monotonic() < SESSION_SECONDS


def test_stopping_worker_stops_waiting_for_namesake() -> None:
    assert start(lambda _: [OTHER], clock=TurnedClock(), is_stopping=lambda: True) == 0


def test_member_id_file_keeps_last_id() -> None:
    note = MemberIdFile(FakeMarkerFile())
    assert note.read() == ""
    note.write("group-w-a-long-one")
    note.write("short")

    assert note.read() == "short"


def test_member_id_file_tolerates_disk_errors() -> None:
    class FullPage(FakeMarkerFile):
        def write(self, text: bytes) -> None:  # noqa: ARG002
            raise RetriableError("the disk is full")

    note = MemberIdFile(FullPage())
    note.write("w-1")

    assert note.read() == ""
