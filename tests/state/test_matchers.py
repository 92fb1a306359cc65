"""The compiled matcher and its twin leave the same rows and the same index, in crowded buckets too."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.records.implementation import PYTHON, C
from runtime.records.packed_keys import PackedKeys
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.matchers import MATCHERS, best_matcher
from runtime.state.rowfile.partition import RowPartitionStore
from runtime.state.rowfile.row import MULTIPLIERS, hash_keys, key_rows
from runtime.state.rowfile.state import RowFileState

Batch = Mapping[bytes, bytes | None]
SOON = Compaction(min_dead_rows=12, per_write=3, per_row=1)


def crowd(size: int) -> list[bytes]:
    """Return keys that stay in one bucket until there are thousands of them."""
    keys = [b"%024d" % number for number in range(size << 11)]
    hashes = hash_keys(key_rows(PackedKeys(b"".join(keys), 24)))
    return [keys[place] for place in np.flatnonzero(hashes % (1 << 11) == 5).tolist()]


def with_the_hash_of(key: bytes) -> bytes:
    """Return a key of 32 bytes that begins with this one of 24 and has its hash: both sums of products are the same."""
    byte_of_kind = 8 << 16
    summand = -byte_of_kind * int(MULTIPLIERS[5]) * pow(int(MULTIPLIERS[3]), -1, 1 << 64) % (1 << 64)
    return key + summand.to_bytes(8, "little")


CROWD = crowd(60)
ALIKE = [CROWD[0], with_the_hash_of(CROWD[0])]
KEYS = st.one_of(
    st.sampled_from(CROWD), st.sampled_from(ALIKE), st.sampled_from([b"", bytes(38), bytes(39), b"x" * 300])
)
VALUES = st.one_of(st.none(), st.sampled_from([b"", b"v" * 9, b"v" * 14, b"v" * 42, b"v" * 300]))
BATCHES = st.lists(st.dictionaries(KEYS, VALUES, max_size=40), max_size=8)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / str(number) for number in range(10**9))


def test_ci_has_the_compiled_matcher_as_best() -> None:
    assert set(MATCHERS) == {C, PYTHON}
    assert best_matcher() == C


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_both_leave_the_same_rows_and_find_the_same(folders: Iterator[Path], batches: list[Batch]) -> None:
    left = [what_is_left(next(folders), name, batches) for name in MATCHERS]
    assert left[0] == left[1]


def what_is_left(folder: Path, matcher: str, batches: list[Batch]) -> object:
    with closing(RowFileState(folder, compaction=SOON, open_matcher=MATCHERS[matcher])) as state:
        store = state.open(0, "changelog")
        found = []
        for position, batch in enumerate(batches, start=1):
            store.write(batch, position)
            found += store.get_many([*CROWD, *ALIKE, b"", bytes(38), bytes(39), bytes(40), b"x" * 300])
        return found, rows_of(store), entries_of_index(store), store._live_rows


def rows_of(store: RowPartitionStore) -> list[bytes]:
    return [segment.rows.tobytes() for segment in store._files.all]


def entries_of_index(store: RowPartitionStore) -> tuple[int, list[tuple[int, int]]]:
    index = store._index
    in_tables = zip(index.hashes.ravel().tolist(), index.rows.ravel().tolist(), strict=True)
    overflow = ((hash_, row) for bucket in index.overflow.values() for row, hash_ in bucket.items())
    return index.size, sorted([*((hash_, row) for hash_, row in in_tables if row), *overflow])


@pytest.mark.parametrize("matcher", MATCHERS)
def test_overflow_entries_are_found_replaced_and_removed(tmp_path: Path, matcher: str) -> None:
    with closing(RowFileState(tmp_path, open_matcher=MATCHERS[matcher])) as state:
        store = state.open(0, "changelog")
        store.write(dict.fromkeys(CROWD, b"first"), 1)
        assert len(CROWD) > 30
        assert store._index.overflow
        assert store.get_many(CROWD) == [b"first"] * len(CROWD)

        store.write(dict.fromkeys(CROWD[::2], b"second"), 2)
        store.write(dict.fromkeys(CROWD[1::2]), 3)
        assert store.get_many(CROWD) == [b"second", None] * (len(CROWD) // 2) + [b"second"] * (len(CROWD) % 2)


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize("keys", [ALIKE, ALIKE[::-1]])
def test_keys_with_the_same_hash_are_told_apart(tmp_path: Path, matcher: str, keys: list[bytes]) -> None:
    assert len(set(hash_keys(key_rows(keys)).tolist())) == 1
    with closing(RowFileState(tmp_path, open_matcher=MATCHERS[matcher])) as state:
        store = state.open(0, "changelog")
        store.write({keys[0]: b"one"}, 1)
        assert store.get_many(keys) == [b"one", None]

        store.write({keys[1]: b"other"}, 2)
        assert store.get_many(keys) == [b"one", b"other"]

        store.write({keys[0]: None}, 3)
        assert store.get_many(keys) == [None, b"other"]
