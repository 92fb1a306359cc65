"""The progress note: what it says, and what it refuses to read."""

import pytest

from consumer.changelog.checkpoint import REPARTITIONING, Checkpoint, check_partitions
from runtime.errors import Unavailable


@pytest.mark.parametrize(
    "note",
    [Checkpoint(3), Checkpoint(3, 0), Checkpoint(REPARTITIONING, 7, 8, 9, "cluster/topic"), Checkpoint(1, 2**63)],
)
def test_a_note_is_read_as_it_was_written(note: Checkpoint) -> None:
    assert Checkpoint.decode(note.encode()) == note


def test_a_note_moves_on_with_its_offset() -> None:
    assert Checkpoint.decode(Checkpoint(3, 1, 2, 4, "c/t").at(9)) == Checkpoint(3, 9, 2, 4, "c/t")


@pytest.mark.parametrize("form", [b"", b"\x02", b"\x03", b"\x04"])
def test_memory_of_another_format_is_refused(form: bytes) -> None:
    with pytest.raises(Unavailable, match="another version of link-actions"):
        Checkpoint.decode(form + (3).to_bytes(4, "big"))


def test_memory_for_the_right_number_of_partitions_is_taken() -> None:
    check_partitions(Checkpoint(3), 3)
    check_partitions(None, 3)


def test_state_for_another_number_of_partitions_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"written for 3 partitions, but link\.clicks\.v1 has 4"):
        check_partitions(Checkpoint(3), 4)
