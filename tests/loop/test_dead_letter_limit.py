"""The worker stops if too many records are bad."""

import pytest

from consumer.decision.decision import Decision
from consumer.loop.batch import PartitionBatch
from consumer.loop.dead_letter_limit import MIN_BAD_RECORDS, WINDOW_RECORDS, DeadLetterLimit
from runtime.errors import ExitCode, TooManyBadRecords
from runtime.fake_kafka.record import FakeRecord
from schemas.bad_record import BadRecord, Reason


def a_batch(good: int, bad: int, *, partition: int = 0, reason: Reason = Reason.TRUNCATED) -> PartitionBatch:
    record = FakeRecord(("clicks", partition), 0, key=None, value=None, headers=(), timestamp=0)
    decision = Decision(dead_letters={row: BadRecord(reason, "") for row in range(bad)})
    return PartitionBatch(partition, [record] * (good + bad), decision)


def admit(share: DeadLetterLimit, *batches: PartitionBatch) -> None:
    for batch in batches:
        share.check(batch)


def test_share_may_equal_the_limit() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, a_batch(500, 500))
    with pytest.raises(TooManyBadRecords):
        admit(share, a_batch(0, 1))


def test_few_bad_records_never_stop() -> None:
    share = DeadLetterLimit(0.01)
    admit(share, a_batch(0, MIN_BAD_RECORDS - 1))
    with pytest.raises(TooManyBadRecords):
        admit(share, a_batch(0, 1))


def test_limit_of_one_never_stops() -> None:
    admit(DeadLetterLimit(1.0), *[a_batch(0, 1_000)] * 5)


def test_small_batches_are_counted_together() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, *[a_batch(4, 6)] * 16)
    with pytest.raises(TooManyBadRecords, match="102 of the latest 170 records"):
        admit(share, a_batch(4, 6))


def test_records_before_the_window_do_not_count() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, a_batch(100, 90), a_batch(WINDOW_RECORDS, 0), a_batch(20, 90))


def test_long_good_past_does_not_hide_bad_records() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, *[a_batch(WINDOW_RECORDS, 0)] * 50)
    with pytest.raises(TooManyBadRecords):
        admit(share, *[a_batch(0, 10)] * 200)


def test_partitions_are_counted_separately() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, a_batch(1_000, 0, partition=0), a_batch(0, 99, partition=1))
    with pytest.raises(TooManyBadRecords, match="partition 1"):
        admit(share, a_batch(0, 1, partition=1))


def test_forgotten_partition_restarts_the_count() -> None:
    share = DeadLetterLimit(0.5)
    admit(share, a_batch(0, 99))
    share.forget(0)
    share.forget(7)
    admit(share, a_batch(0, 99))


def test_message_and_exit_code() -> None:
    with pytest.raises(TooManyBadRecords) as raised:
        admit(DeadLetterLimit(0.5), a_batch(0, 200, partition=3, reason=Reason.UNKNOWN_SCHEMA))
    assert str(raised.value) == (
        "200 of the latest 200 records of partition 3 are bad (unknown_schema); fix what publishes them,"
        " or raise LINK_ACTIONS_DEAD_LETTER_LIMIT"
    )
    assert raised.value.exit_code is ExitCode.TOO_MANY_BAD_RECORDS
