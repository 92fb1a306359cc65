"""A record that crashes the process is isolated, and only that one."""

from collections.abc import Mapping, Sequence

import pytest

from runtime.fake_kafka.record import FakeRecord
from runtime.ports import ConsumerRecord, RetriableError
from runtime.stream.marker_file import FakeMarkerFile
from runtime.stream.poison_pills import IDLE, PIECES, InFlightMarker, PoisonPillGuard
from schemas.bad_record import BadRecord, Reason
from tests.builders import a_click, a_link, an_action
from tests.deadly_record import DEADLY, with_deadly
from tests.loop.expectations import compare_updates, dead_letters, expected_model, require_state_as_changelog
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.script import Crash, Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState, ScriptedStream

MAX_STARTS = 5
"""More short lives in a row are a crash loop to the supervisor."""


class Forced(dict[tuple[int, int], BadRecord]):
    """The records that are dead-lettered whatever they hold."""

    def force(self, partition: int, offset: int, bad: BadRecord) -> bool:
        self[partition, offset] = bad
        return True


class DeadlyStream(ScriptedStream):
    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return with_deadly(super().consume(limit, timeout_seconds), raising(Crash()))


def records(first: int, number: int) -> list[ConsumerRecord]:
    return [
        FakeRecord(("clicks", 0), first + each, key=None, value=b"", headers=(), timestamp=0) for each in range(number)
    ]


def die_over(
    marker_file: FakeMarkerFile, batch: Mapping[int, Sequence[ConsumerRecord]], forced: Forced | None = None
) -> None:
    guard = PoisonPillGuard(marker_file, (forced if forced is not None else Forced()).force)
    piece = next(guard.pieces(batch))
    with pytest.raises(Crash), guard.deciding(piece):
        raise Crash


def offsets(pieces: Sequence[Mapping[int, Sequence[ConsumerRecord]]]) -> list[dict[int, list[int | None]]]:
    return [{partition: [record.offset() for record in mine] for partition, mine in each.items()} for each in pieces]


@pytest.mark.parametrize(
    "note", [InFlightMarker(), InFlightMarker({0: (5, 9)}), InFlightMarker({3: (2**40, 2**40 + 1), 7: (0, 3)}, 2)]
)
def test_marker_round_trip_over_older_content(note: InFlightMarker) -> None:
    marker_file = FakeMarkerFile()
    marker_file.write(InFlightMarker(dict.fromkeys(range(50), (0, 9))).encode())
    marker_file.write(note.encode())
    assert InFlightMarker.decode(marker_file.read()) == note


@pytest.mark.parametrize("text", [b"", b"LAW1", InFlightMarker({0: (5, 9)}).encode()[:-1], b"x" * 100])
def test_incomplete_marker_is_empty(text: bytes) -> None:
    assert InFlightMarker.decode(text) == InFlightMarker()


def test_corrupt_marker_is_empty() -> None:
    whole = InFlightMarker({0: (5, 9)}, 1).encode()
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        assert InFlightMarker.decode(changed) == InFlightMarker()


def test_marker_is_cleared_after_deciding() -> None:
    marker_file = FakeMarkerFile()
    guard = PoisonPillGuard(marker_file, Forced().force)
    with guard.deciding({0: records(0, 3)}):
        assert InFlightMarker.decode(marker_file.read()).ranges == {0: (0, 3)}
    assert InFlightMarker.decode(marker_file.read()) == InFlightMarker.decode(IDLE) == InFlightMarker()
    with pytest.raises(RetriableError), guard.deciding({0: records(0, 3)}):
        raise RetriableError("the broker is away, which is no fault of the records")
    assert InFlightMarker.decode(marker_file.read()) == InFlightMarker()


def test_marker_stays_after_unexpected_error() -> None:
    marker_file = FakeMarkerFile()
    guard = PoisonPillGuard(marker_file, Forced().force)
    with pytest.raises(ZeroDivisionError), guard.deciding({0: records(0, 3)}):
        raise ZeroDivisionError
    assert InFlightMarker.decode(marker_file.read()).ranges == {0: (0, 3)}


def test_only_suspected_records_are_split() -> None:
    marker_file = FakeMarkerFile()
    die_over(marker_file, {0: records(10, 3), 1: records(0, 1)})
    guard = PoisonPillGuard(marker_file, Forced().force)
    batch = {0: records(10, 5), 2: records(7, 2)}
    assert offsets(list(guard.pieces(batch))) == [{0: [10]}, {0: [11]}, {0: [12]}, {0: [13, 14], 2: [7, 8]}]
    assert offsets(list(guard.pieces({0: records(15, 5)}))) == [{0: [15, 16, 17, 18, 19]}]
    assert offsets(list(guard.pieces({1: records(1, 2)}))) == [{1: [1, 2]}]


def test_large_suspected_batch_has_a_bounded_number_of_pieces() -> None:
    marker_file = FakeMarkerFile()
    die_over(marker_file, {0: records(0, 10 * PIECES)})
    pieces = list(PoisonPillGuard(marker_file, Forced().force).pieces({0: records(0, 10 * PIECES)}))
    assert [len(piece[0]) for piece in pieces] == [10] * PIECES


def test_second_crash_on_one_record_alone_dead_letters_it() -> None:
    marker_file, forced = FakeMarkerFile(), Forced()
    die_over(marker_file, {2: records(40, 1)})
    die_over(marker_file, {2: records(40, 1)}, forced)
    assert not forced
    PoisonPillGuard(marker_file, forced.force)
    assert {place: bad.reason for place, bad in forced.items()} == {(2, 40): Reason.PROCESS_CRASH}


def test_crash_in_batch_and_crash_alone_dead_letter_nothing() -> None:
    marker_file, forced = FakeMarkerFile(), Forced()
    for _ in range(2):
        die_over(marker_file, {0: records(8, 3)}, forced)
    assert InFlightMarker.decode(marker_file.read()).ranges == {0: (8, 9)}
    PoisonPillGuard(marker_file, forced.force)
    assert not forced


def test_crashes_on_different_records_dead_letter_nothing() -> None:
    marker_file, forced = FakeMarkerFile(), Forced()
    for offset in range(5):
        die_over(marker_file, {0: records(50 + offset, 1)}, forced)
    PoisonPillGuard(marker_file, forced.force)
    assert not forced


def test_dead_letter_is_forced_again_after_each_crash() -> None:
    marker_file, forced = FakeMarkerFile(), Forced()
    for _ in range(4):
        forced.clear()
        die_over(marker_file, {0: records(7, 1)}, forced)
    assert list(forced) == [(0, 7)]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 30), (30, 0), (25, 40), (300, 500)])
def test_worker_passes_poison_pill_after_a_few_starts(before: int, after: int) -> None:
    environment, disk, marker_file = FakeEnvironment(partitions=1), ScriptedState(), FakeMarkerFile()
    environment.define(a_link(an_action()))
    clicks = [a_click(number, recipient_id=f"r-{number}") for number in range(before + after)]
    environment.click(*clicks[:before], a_click(1_000, user_agent=DEADLY.decode()), *clicks[before:])
    starts = 1
    while not runs_to_the_end(environment, disk, marker_file):
        environment.expire_all_members()
        starts += 1
    assert starts <= MAX_STARTS
    assert dead_letters(environment) == [(0, before, "process_crash")]
    assert compare_updates(environment, expected_model(environment, {(0, before)})).is_exact
    require_state_as_changelog(environment, disk)


def test_kills_at_other_moments_dead_letter_nothing() -> None:
    environment, disk, marker_file = FakeEnvironment(partitions=1), ScriptedState(), FakeMarkerFile()
    environment.define(a_link(an_action()))
    environment.click(a_click())
    for point in (
        "consumer.begin_transaction",
        "consumer.produce_batch",
        "consumer.produce_tracked",
        "consumer.commit_transaction",
    ) * 3:
        script = Script.at_every(point, Happening(before=raising(Crash())))
        with pytest.raises(Crash):
            Worker(environment, disk, in_flight=marker_file, script=script).run()
        environment.expire_all_members()
    Worker(environment, disk, in_flight=marker_file).run()
    assert not dead_letters(environment)
    assert compare_updates(environment, expected_model(environment, set())).is_exact


def runs_to_the_end(environment: FakeEnvironment, disk: ScriptedState, marker_file: FakeMarkerFile) -> bool:
    try:
        Worker(environment, disk, in_flight=marker_file, build=Build(stream=DeadlyStream)).run()
    except Crash:
        return False
    return True
