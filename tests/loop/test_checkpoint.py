"""The progress note: what it says, and what it refuses to read."""

import pytest

from consumer.errors import Unavailable
from consumer.loop.checkpoint import MOVING, Note, check_partitions


@pytest.mark.parametrize("note", [Note(3), Note(3, 0), Note(MOVING, 7, 8, 9, "cluster/topic"), Note(1, 2**63)])
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert Note.decode(note.encode()) == note


def test_a_note_moves_on_with_its_offset() -> None:
    assert Note.decode(Note(3, 1, 2, 4, "c/t").at(9)) == Note(3, 9, 2, 4, "c/t")


@pytest.mark.parametrize("form", [b"", b"\x02", b"\x03", b"\x04"])
def test_memory_of_another_format_is_refused(form: bytes) -> None:
    with pytest.raises(Unavailable, match="another version of link-actions"):
        Note.decode(form + (3).to_bytes(4, "big"))


def test_memory_for_the_right_number_of_partitions_is_taken() -> None:
    check_partitions(Note(3), 3)
    check_partitions(None, 3)


def test_memory_for_another_number_of_partitions_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"kept for 3 partitions and link\.clicks\.v1 has 4"):
        check_partitions(Note(3), 4)
