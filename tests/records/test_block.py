"""Records in a block, and updates in one, are the sequences that lists of them are."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.fake_kafka.record import FakeRecord
from runtime.ports import ConsumerRecord
from runtime.records.bulk import all_fit, joined, size_of, split_by_partition, values_of
from tests.support.compiled import needs_compiled_parts

block = needs_compiled_parts("runtime.records.block")

texts = st.binary(max_size=40)
headers = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), texts | st.none()), max_size=3
)
drawn_records = st.lists(
    st.tuples(st.integers(0, 3), texts | st.none(), texts | st.none(), headers, st.integers(-1, 2**62)), max_size=12
)
Drawn = Sequence[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]], int]]


def both(drawn: Drawn) -> tuple[Sequence[ConsumerRecord], Sequence[ConsumerRecord]]:
    """The same records in a block and as objects."""
    made, listed = block.Block(), []
    for offset, (partition, key, value, fields, timestamp) in enumerate(drawn):
        made.append(partition, offset, key, value, fields, (1, timestamp))
        listed.append(
            FakeRecord(("topic", partition), offset, key=key, value=value, headers=fields, timestamp=timestamp)
        )
    return made.records(), listed


def told(records: Sequence[ConsumerRecord]) -> list[Any]:
    return [(r.partition(), r.offset(), r.key(), r.value(), r.headers(), r.timestamp(), len(r)) for r in records]


@given(drawn_records)
def test_records_of_a_block_tell_what_they_were_given(drawn: Drawn) -> None:
    packed, listed = both(drawn)
    assert told(packed) == told(listed)
    assert [told([packed[place]]) for place in range(-len(packed), len(packed))] == [
        told([listed[place]]) for place in range(-len(listed), len(listed))
    ]


@given(drawn_records, st.integers(0, 40))
def test_what_is_done_with_many_records_at_once_is_the_same(drawn: Drawn, limit: int) -> None:
    packed, listed = both(drawn)
    assert size_of(packed) == size_of(listed)
    assert list(values_of(packed)) == list(values_of(listed))
    assert all_fit(values_of(packed), limit) == all_fit(values_of(listed), limit)
    by_partition = split_by_partition(packed)
    assert {p: told(mine) for p, mine in by_partition.items()} == {
        p: told(mine) for p, mine in split_by_partition(listed).items()
    }


@given(drawn_records, st.lists(st.slices(12), max_size=3))
def test_pieces_are_joined_in_their_order(drawn: Drawn, cuts: Sequence[slice]) -> None:
    packed, listed = both(drawn)
    assert told(joined([packed[cut] for cut in cuts])) == told(joined([listed[cut] for cut in cuts]))
    assert told(joined([packed, listed])) == told([*listed, *listed])


@pytest.mark.parametrize("access", [lambda some: some[3], lambda some: some[-4]])
def test_nothing_lies_beyond_the_end(access: Callable[[Any], object]) -> None:
    packed, _ = both([(0, b"k", b"v", [], 0)] * 3)
    for some in (packed, values_of(packed)):
        with pytest.raises(IndexError):
            access(some)
