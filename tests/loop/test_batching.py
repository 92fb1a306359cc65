"""Batches stay within their memory, and linger no longer than needed."""

import pytest

from consumer.decision.decision import Decision
from consumer.loop.batch import Batch, PartitionBatch
from runtime.fake_kafka.record import FakeRecord
from runtime.ports import ConsumerRecord
from runtime.stream.batching import (
    FIRST_RECORDS,
    MAX_BYTES,
    MAX_RECORDS,
    MIN_LINGER_SECONDS,
    UPDATE_BYTES,
    BatchSizer,
    LingerPolicy,
)
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState

MIB = 1024 * 1024


def records_of(size: int, number: int) -> list[ConsumerRecord]:
    value = bytes(size)
    return [
        FakeRecord(("clicks", 0), offset, key=None, value=value, headers=(), timestamp=0) for offset in range(number)
    ]


def gathered(limit: BatchSizer, size: int) -> int:
    """Fill a batch from a backlog of values of this size; return the bytes taken."""
    limit.start_batch()
    taken = 0
    while limit.remaining > 0:
        some = records_of(size, min(limit.remaining, 100))
        limit.add(some)
        taken += len(some)
    return taken * size


def a_batch(clicks: int, *, updates: int, size: int = 0) -> Batch:
    decision = Decision(updates=[("updates", bytes(size), b"key", [])] * updates)
    return Batch([PartitionBatch(0, records_of(0, clicks), decision)])


def wide_open() -> BatchSizer:
    limit = BatchSizer()
    for _ in range(10):
        limit.grow()
    return limit


def test_limit_starts_small_and_grows_with_each_commit() -> None:
    limit = BatchSizer()
    limit.start_batch()
    assert limit.remaining == FIRST_RECORDS
    limit.grow()
    assert limit.remaining == 2 * FIRST_RECORDS
    assert wide_open().remaining == MAX_RECORDS


def test_small_records_fill_a_batch_by_number() -> None:
    assert gathered(wide_open(), 300) == 300 * MAX_RECORDS


@pytest.mark.parametrize("size", [10_000, 65_536, MIB])
def test_large_records_fill_a_batch_by_bytes(size: int) -> None:
    limit = wide_open()
    assert gathered(limit, size) <= MAX_BYTES + 100 * size
    assert MAX_BYTES - size <= gathered(limit, size) <= MAX_BYTES + size


def record_output(limit: BatchSizer, batch: Batch) -> None:
    limit.record_output((each.updates for each in batch.partitions), batch.size)


def test_updates_count_towards_the_bytes() -> None:
    limit = wide_open()
    record_output(limit, a_batch(100, updates=1_600, size=4_000))
    limit.start_batch()
    assert limit.remaining == MAX_BYTES // (16 * (4_000 + UPDATE_BYTES))
    record_output(limit, a_batch(100, updates=0))
    assert limit.remaining == MAX_RECORDS


def test_one_record_always_fits() -> None:
    limit = wide_open()
    gathered(limit, 2 * MAX_BYTES)
    limit.start_batch()
    assert limit.remaining == 1


def test_shrink_halves_and_leaves_at_least_one() -> None:
    limit = wide_open()
    limit.start_batch()
    for size, room in ((100, 50), (3, 1), (1, 1)):
        limit.shrink(size)
        assert limit.remaining == room


def test_batches_are_smaller_if_clicks_have_large_updates() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(*(an_action("SetField", slot=slot, value="x" * 2_000) for slot in range(16))))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(2_600)))
    worker = Worker(environment, ScriptedState())
    worker.run()
    first, *further = [batch.size for batch in worker.observer.batches]
    assert first == FIRST_RECORDS
    assert max(further) <= MAX_BYTES // (16 * (2_000 + UPDATE_BYTES))
    assert worker.counts.consumed == 2_600


INTERVAL_SECONDS = 0.1


def test_instant_batch_gives_shortest_linger() -> None:
    assert LingerPolicy(INTERVAL_SECONDS).linger_seconds(0.0) == MIN_LINGER_SECONDS


def test_linger_grows_with_batch_duration() -> None:
    linger = LingerPolicy(INTERVAL_SECONDS)
    assert MIN_LINGER_SECONDS < linger.linger_seconds(0.03) < linger.linger_seconds(0.06) < INTERVAL_SECONDS


def test_linger_is_at_most_the_commit_interval() -> None:
    assert LingerPolicy(INTERVAL_SECONDS).linger_seconds(60.0) == INTERVAL_SECONDS
    assert LingerPolicy(MIN_LINGER_SECONDS / 2).linger_seconds(0.0) == MIN_LINGER_SECONDS / 2


def test_lone_click_does_not_wait_for_the_interval() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(a_click(1))
    committed_at: list[float] = []
    script = Script.at_every(
        "consumer.commit_transaction", Happening(after=lambda: committed_at.append(environment.clock.monotonic()))
    )
    begun = environment.clock.monotonic()
    Worker(environment, ScriptedState(), script=script, linger_seconds=60.0).run()
    assert committed_at[0] - begun < 1


def test_the_limit_grows_with_each_commit() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(4 * FIRST_RECORDS)))
    worker = Worker(environment, ScriptedState())
    worker.run()

    sizes = [batch.size for batch in worker.observer.batches]

    assert sizes[:2] == [FIRST_RECORDS, 2 * FIRST_RECORDS]
