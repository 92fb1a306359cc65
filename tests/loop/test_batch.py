"""Offsets and fate of a batch."""

import pytest

from consumer.decision.decision import Decision
from consumer.loop.batch import Batch, PartitionBatch
from runtime.fake_kafka.record import FakeRecord
from runtime.ports import Committed, ConsumerRecord
from runtime.stream.pending import was_committed


def records(first: int, number: int) -> list[ConsumerRecord]:
    return [
        FakeRecord(("clicks", 0), offset, key=None, value=b"", headers=(), timestamp=0)
        for offset in range(first, first + number)
    ]


BATCH = Batch([PartitionBatch(0, records(5, 3), Decision()), PartitionBatch(2, records(40, 2), Decision())])
OWN, OF_ANOTHER, EARLIER = Committed(8, is_own=True), Committed(8, is_own=False), Committed(5, is_own=True)


def test_offsets_to_commit_are_the_next_to_read() -> None:
    assert (BATCH.offsets, BATCH.size) == ({0: 8, 2: 42}, 5)


@pytest.mark.parametrize(
    ("committed", "expected"),
    [
        ({0: OWN, 2: Committed(42, is_own=True)}, True),
        ({0: OWN}, True),  # the other partition was taken away meanwhile; a transaction is committed whole
        ({0: OF_ANOTHER}, False),
        ({0: EARLIER, 2: None}, False),
        ({}, False),
    ],
)
def test_batch_is_committed_if_any_offset_is_our_commit(
    committed: dict[int, Committed | None], *, expected: bool
) -> None:
    assert was_committed(BATCH, committed) is expected
