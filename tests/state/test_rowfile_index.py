"""The index against a plain list of pairs, with hashes that crowd into few buckets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.state.rowfile.index import KEYS_PER_BUCKET, HashIndex
from runtime.state.rowfile.row import Hashes, Numbers, hash_keys, key_rows

CROWDED = st.sampled_from([0, 1, 16, 17, 32, 1 << 31])
STEPS = st.lists(
    st.tuples(st.sampled_from(["insert", "remove", "replace"]), st.lists(CROWDED, max_size=60), st.randoms()),
    max_size=12,
)


def hashes_of(values: list[int]) -> Hashes:
    return np.array(values, dtype=np.uint32)


def numbers_of(values: list[int]) -> Numbers:
    return np.array(values, dtype=np.int64)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_index_finds_every_row_in_crowded_buckets(
    steps: "list[tuple[str, list[int], np.random.Generator]]",
) -> None:
    index, pairs, number = HashIndex(require=lambda _: None), dict[int, int](), 0
    for step, hashes, chance in steps:
        if step == "insert":
            added = {number + place: hash_ for place, hash_ in enumerate(hashes, start=1)}
            index.insert(hashes_of(hashes), numbers_of(list(added)))
            pairs |= added
        else:
            chosen = [row for row in pairs if chance.random() < 0.5]
            old = hashes_of([pairs[row] for row in chosen]), numbers_of(chosen)
            if step == "remove":
                index.remove(*old)
                for row in chosen:
                    del pairs[row]
            else:
                new = {number + place: pairs.pop(row) for place, row in enumerate(chosen, start=1)}
                index.replace(*old, numbers_of(list(new)))
                pairs |= new
        number += 100 + len(pairs)
        check(index, pairs)


def check(index: HashIndex, pairs: dict[int, int]) -> None:
    asked = [0, 1, 2, 16, 17, 32, 48, 1 << 31]
    places, rows = index.candidates(hashes_of(asked))
    found = sorted(zip([asked[place] for place in places.tolist()], rows.tolist(), strict=True))
    assert found == sorted((hash_, row) for row, hash_ in pairs.items())
    assert index.size == len(pairs)
    assert index.has(hashes_of(list(pairs.values())), numbers_of(list(pairs))).all()
    assert not index.has(hashes_of(asked), numbers_of([10**6] * len(asked))).any()


def test_index_takes_less_than_30_bytes_a_key() -> None:
    index, keys = HashIndex(require=lambda _: None), 300_000
    for start in range(1, keys, 10_000):
        rows = np.arange(start, start + 10_000)
        index.insert(hash_keys(key_rows([b"%020d" % row for row in rows.tolist()])), rows)
    assert index.memory_bytes / keys < 30
    hashes = hash_keys(key_rows([b"%020d" % row for row in range(1, keys + 1)]))
    places, rows = index.candidates(hashes)
    assert set(zip(places.tolist(), rows.tolist(), strict=True)) >= {(row - 1, row) for row in range(1, keys + 1)}


def test_an_index_made_for_many_keys_has_their_room_from_the_beginning() -> None:
    index = HashIndex(1_000_000, require=lambda _: None)
    before = index.memory_bytes
    index.insert(np.arange(50_000, dtype=np.uint32), np.arange(1, 50_001))
    assert index.memory_bytes == before >= 1_000_000 / KEYS_PER_BUCKET * 128
