"""Builds the index of existing files from their rows."""

from collections.abc import Generator, Iterator

import numpy as np

from runtime.state.rowfile.index import HashIndex, Require
from runtime.state.rowfile.row import (
    CONTINUATION,
    DIGEST,
    KIND,
    REPLACES,
    Mask,
    Rows,
    as_bytes,
    as_numbers,
    hash_keys,
    is_entry,
    key_part,
)
from runtime.state.rowfile.row_files import RowFiles
from runtime.state.rowfile.segment import Segment

CHUNK = 1 << 17


def build_index(files: RowFiles, require: Require) -> Generator[None, None, tuple[HashIndex, int]]:
    """Return, step by step, the index and the number of live rows. Replaced rows are left out."""
    dead = yield from _find_dead(files)
    size = sum(len(segment.rows) - int(np.count_nonzero(dead[segment])) for segment in files.all)
    index, live_rows = HashIndex(size, require=require), 0
    for segment in files.all:
        for start, rows in chunks(segment):
            alive = is_entry(rows) & ~dead[segment][start : start + len(rows)]
            firsts = np.flatnonzero(alive)
            index.insert(hash_keys(key_part(rows[firsts])), files.numbers(segment, firsts + start))
            live_rows += int(np.count_nonzero(whole_entries(rows, alive)))
            yield
    return index, live_rows


def chunks(segment: Segment) -> Iterator[tuple[int, Rows]]:
    """Yield all rows in slices, with the number of the first row; no entry spans two slices."""
    start = 0
    while start < segment.end:
        end = end_of_entry(segment, start + CHUNK)
        yield start, segment.rows[start:end]
        segment.release_pages()
        start = end


def end_of_entry(segment: Segment, wanted: int) -> int:
    """Return the first row from here on that is not a continuation, or the end of the file."""
    end = min(wanted, segment.end)
    while end < segment.end and as_bytes(segment.rows[end : end + 1])[0, KIND] == CONTINUATION:
        end += 1
    return end


def whole_entries(rows: Rows, firsts: Mask) -> Mask:
    """Return which rows belong to the entries that start with these rows."""
    continues = as_bytes(rows)[:, KIND] == CONTINUATION
    if not continues.any():
        return firsts
    return firsts[np.maximum.accumulate(np.where(continues, 0, np.arange(len(rows))))]


def _find_dead(files: RowFiles) -> Generator[None, None, dict[Segment, Mask]]:
    """Return for each file which rows were replaced by a later one, or compacted.

    References of the older file to its deleted predecessor are ignored: they would be read as rows of the newest file.
    """
    dead: dict[Segment, Mask] = {segment: np.zeros(segment.end, dtype=np.bool_) for segment in files.all}
    for segment in files.all:
        targets = [segment] if segment is files.older or files.older is None else list(files.all)
        for _, rows in chunks(segment):
            replaced = as_numbers(rows)[:, REPLACES]
            replaced = replaced[(replaced != 0) & (as_bytes(rows)[:, KIND] <= DIGEST)].astype(np.int64)
            for target in targets:
                dead[target][files.rows_in(target, replaced)] = True
            yield
    if files.older is not None:
        dead[files.older][: files.newest.last_batch.compacted_rows] = True
    return dead
