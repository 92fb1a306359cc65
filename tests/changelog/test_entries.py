import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.changelog.entries import (
    DEDUPE_KEY_BYTES,
    HITS_KEY_BYTES,
    ONE_CLICK,
    PLAIN,
    SCOPED_KEY_BYTES,
    WITH_TIMES,
    DedupeEntry,
    HitCount,
    UnknownStateFormat,
    bitmap,
    decode_entry,
    decode_hits,
    encode_entry,
    encode_hits,
    partition_of_key,
)
from schemas.identity import hits_digest, link_digest, recipient_digest, scope_digest
from tests.builders import a_click, a_link, an_action
from tests.decision.twins import DecisionHarness

times = st.integers(-(2**63), 2**63 - 1)
slots = st.integers(0, 300)


@given(times, st.sets(slots))
def test_what_applied_is_remembered(clicked_at: int, applied: set[int]) -> None:
    entry = DedupeEntry(clicked_at, sum(1 << slot for slot in applied))

    assert decode_entry(encode_entry(entry)) == entry
    assert decode_entry(encode_entry(entry, ONE_CLICK)) == entry


@given(times, st.dictionaries(slots, times, min_size=1), st.sets(slots))
def test_when_it_applied_is_remembered_of_every_slot(clicked_at: int, last: dict[int, int], others: set[int]) -> None:
    entry = DedupeEntry(clicked_at, sum(1 << slot for slot in last.keys() | others), last)

    found = decode_entry(encode_entry(entry))

    assert (found.clicked_at, found.applied) == (clicked_at, entry.applied)
    assert found.last_applied == dict.fromkeys(others, clicked_at) | last


@given(st.builds(HitCount, *([st.integers(0, 2**63 - 1)] * 3)))
def test_hits_are_remembered(count: HitCount) -> None:
    assert decode_hits(encode_hits(count)) == count


@pytest.mark.parametrize("form", [0, 4, 16, 255])
def test_unknown_entry_format_is_refused(form: int) -> None:
    with pytest.raises(UnknownStateFormat):
        decode_entry(bytes([form]) + bytes(8))


@pytest.mark.parametrize("form", [0, 1, 17, 255])
def test_hits_in_a_format_of_a_later_version_are_never_guessed_at(form: int) -> None:
    with pytest.raises(UnknownStateFormat):
        decode_hits(bytes([form]) + bytes(24))


def test_the_bytes_of_an_entry_are_what_they_always_were() -> None:
    assert encode_entry(DedupeEntry(1_764_072_000_000)).hex() == "010000019abae28a00"
    assert encode_entry(DedupeEntry(1, 0b1_0000_0101)).hex() == "0100000000000000010501"
    assert encode_entry(DedupeEntry(1, 1), ONE_CLICK).hex() == "03000000000000000101"
    assert encode_entry(DedupeEntry(1, 1, {0: 2})).hex() == "02000000000000000100000000000000000002"
    assert encode_hits(HitCount(1, 2, 3)).hex() == "10" + "0000000000000001" + "0000000000000002" + "0000000000000003"


def test_a_bitmap_is_as_long_as_it_must_be() -> None:
    assert [bitmap(0), bitmap(1), bitmap(0x80), bitmap(0x100)] == [b"", b"\x01", b"\x80", b"\x00\x01"]


def test_an_entry_has_the_click_time_in_the_same_place_in_every_timed_format() -> None:
    entries = [
        encode_entry(DedupeEntry(7)),
        encode_entry(DedupeEntry(7), ONE_CLICK),
        encode_entry(DedupeEntry(7, 1, {0: 9})),
    ]

    assert {entry[0] for entry in entries} == {PLAIN, ONE_CLICK, WITH_TIMES}
    assert {entry[1:9] for entry in entries} == {(7).to_bytes(8, "big")}


def test_length_of_a_key_gives_its_purpose() -> None:
    dedupe_key = recipient_digest(b"acme/r-1") + link_digest("acme", "spring", 0)

    assert len(dedupe_key) == DEDUPE_KEY_BYTES
    assert len(dedupe_key + scope_digest(b"m-1")) == SCOPED_KEY_BYTES
    assert len(hits_digest("acme", "spring")) == HITS_KEY_BYTES
    assert len({DEDUPE_KEY_BYTES, SCOPED_KEY_BYTES, HITS_KEY_BYTES}) == 3


@pytest.mark.parametrize("recipient_id", ["r-01261o9dk", "r-00559gv8x"])
def test_entries_of_smallest_and_largest_hash(recipient_id: str) -> None:
    """By either core; a modulo of 2^31 - 1 would take the two for each other."""
    harness = DecisionHarness(a_link(an_action()))
    harness.take(a_click(recipient_id=recipient_id))
    key = recipient_digest(f"acme/{recipient_id}".encode()) + link_digest("acme", "spring", 0)
    assert key in dict(harness.entries())


def test_the_partition_of_a_key_is_its_hash_modulo_the_count() -> None:
    key = bytes(12) + (1_000_003).to_bytes(4, "big") + bytes(8)

    assert [partition_of_key(key, count) for count in (1, 7, 12)] == [0, 1_000_003 % 7, 1_000_003 % 12]
    assert partition_of_key(key + bytes(8), 7) == 1_000_003 % 7
    assert partition_of_key(bytes(HITS_KEY_BYTES), 7) is None
