"""Scans all entries of a partition: slow, because rows are in the order of writing."""

from collections.abc import Callable
from struct import Struct

import numpy as np

from runtime.state.rowfile.building import chunks, end_of_entry
from runtime.state.rowfile.encoding import read_entry
from runtime.state.rowfile.index import HashIndex
from runtime.state.rowfile.row import (
    DIGEST,
    KEY_BYTES,
    KEY_MASKS,
    KIND,
    ROW_BYTES,
    Mask,
    Numbers,
    Rows,
    are_equal,
    as_bytes,
    hash_keys,
    is_entry,
    key_part,
)
from runtime.state.rowfile.row_files import RowFiles

Entries = list[tuple[bytes, bytes]]
_START_BYTES = 8
_CURSOR = Struct(">IQ")
"""Generation of the file, and the next row in it."""
_PAGE_ROWS = 4


def entries_with_prefix(files: RowFiles, index: HashIndex, prefix: bytes) -> Entries:
    """Return the entries whose key starts with the prefix, in the order of the keys."""
    start = prefix[:KEY_BYTES]
    wanted = np.frombuffer(start.ljust(ROW_BYTES, b"\0"), dtype="<u8")
    mask = KEY_MASKS[len(start)].copy()
    as_bytes(mask)[KIND] = 0

    def may_match(rows: Rows) -> Mask:
        kinds = as_bytes(rows)[:, KIND]
        same = are_equal(rows & mask, np.broadcast_to(wanted, rows.shape))
        matches: Mask = (kinds == DIGEST) | ((kinds >= len(prefix)) & same)
        return matches

    numbers, _ = _live(files, index, may_match)
    return sorted(entry for entry in _read(files, numbers) if entry[0].startswith(prefix))


def first_entries(files: RowFiles, index: HashIndex, key: bytes, limit: int) -> Entries:
    """Return up to `limit` entries from this key on, in the order of the keys."""
    lowest = int.from_bytes(key[:_START_BYTES].ljust(_START_BYTES, b"\0"), "big")

    def may_follow(rows: Rows) -> Mask:
        follows: Mask = (as_bytes(rows)[:, KIND] == DIGEST) | (_starts(rows) >= lowest)
        return follows

    numbers, starts = _live(files, index, may_follow)
    is_digest = as_bytes(files.take(numbers))[:, KIND] == DIGEST
    plain, starts = numbers[~is_digest], starts[~is_digest]
    above = starts > lowest
    if np.count_nonzero(above) > limit:
        # Of the keys with a higher prefix the lowest are enough; those with the same prefix are all read.
        plain = plain[starts <= np.partition(starts[above], limit)[limit]]
    found = _read(files, np.concatenate([plain, numbers[is_digest]]))
    return sorted(entry for entry in found if entry[0] >= key)[:limit]


def read_page(files: RowFiles, index: HashIndex, cursor: bytes, limit: int) -> tuple[Entries, bytes]:
    """Return up to `limit` entries in the order of the rows, and the next cursor; empty at the end.

    The rows of a deleted file were copied to the newest, so the scan restarts at the beginning of that one.
    """
    generation, row = _CURSOR.unpack(cursor) if cursor else (0, 1)
    segment = next((segment for segment in files.all if segment.generation == generation), None)
    if segment is None:
        segment, row = next(files.all), 1
    end = end_of_entry(segment, row + _PAGE_ROWS * limit)
    firsts = row + np.flatnonzero(is_entry(segment.rows[row:end]))
    hashes, numbers = hash_keys(key_part(segment.take(firsts))), files.numbers(segment, firsts)
    found = numbers[index.has(hashes, numbers)]
    if len(found) > limit:
        found, end = found[:limit], int(files.rows_in(segment, found[limit : limit + 1])[0])
    if end < segment.end:
        return _read(files, found), _CURSOR.pack(segment.generation, end)
    is_newest = segment is files.newest
    return _read(files, found), b"" if is_newest else _CURSOR.pack(files.newest.generation, 1)


def _live(
    files: RowFiles, index: HashIndex, chosen: Callable[[Rows], Mask]
) -> tuple[Numbers, "np.ndarray[tuple[int], np.dtype[np.uint64]]"]:
    """Return number and first row of the selected entries that are live."""
    numbers, starts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint64)]
    for segment in files.all:
        for start, rows in chunks(segment):
            firsts = np.flatnonzero(is_entry(rows))
            firsts = firsts[chosen(rows[firsts])]
            mine = files.numbers(segment, firsts + start)
            lives = index.has(hash_keys(key_part(rows[firsts])), mine)
            numbers.append(mine[lives])
            starts.append(_starts(rows[firsts[lives]]))
    return np.concatenate(numbers), np.concatenate(starts)


def _starts(rows: Rows) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Return the first bytes of each key as a number, in the order of the keys."""
    return key_part(rows)[:, 0].byteswap()


def _read(files: RowFiles, numbers: Numbers) -> Entries:
    rows = as_bytes(files.take(numbers))
    return [
        read_entry(row.tobytes(), number, files.following) for row, number in zip(rows, numbers.tolist(), strict=True)
    ]
