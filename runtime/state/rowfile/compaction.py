"""Copies the live rows from the older file to the newest, a slice at a time."""

from dataclasses import dataclass

import numpy as np

from runtime.state.rowfile.building import end_of_entry, whole_entries
from runtime.state.rowfile.index import HashIndex
from runtime.state.rowfile.row import REPLACES, ROW_WORDS, as_numbers, hash_keys, is_entry, key_part
from runtime.state.rowfile.row_files import RowFiles
from runtime.state.rowfile.segment_header import ALL


@dataclass(frozen=True, slots=True)
class Compaction:
    """Limits of compaction: when it starts, and how many rows of the older file each write processes.

    Enough to finish long before the new file has as many dead rows, few enough to add only 1 or 2 ms to a write.
    """

    min_dead_rows: int = 65_536
    per_write: int = 4_096
    per_row: int = 4
    deleted_per_write: int = 1 << 26
    """Bytes of the old file that each write deletes: 5 GB at once would take most of a second."""


def compact_some(files: RowFiles, index: HashIndex, count: int) -> None:
    """Copy the live rows among the next ones, as a batch that changes neither entries nor position.

    The batch records how many rows of the older file are compacted; after the last one it is deleted. Raises OSError.
    """
    older, newest = files.older, files.newest
    if older is None:
        return
    start = newest.last_batch.compacted_rows
    end = end_of_entry(older, start + count)
    rows = older.rows[start:end]
    firsts = np.flatnonzero(is_entry(rows))
    hashes = hash_keys(key_part(rows[firsts]))
    old = files.numbers(older, firsts + start)
    lives = index.has(hashes, old)
    alive = np.zeros(len(rows), dtype=np.bool_)
    alive[firsts[lives]] = True
    kept = np.flatnonzero(whole_entries(rows, alive))
    block = np.zeros((len(kept) + 1, ROW_WORDS), dtype=np.uint64)
    block[1:] = rows[kept]
    as_numbers(block)[:, REPLACES] = 0
    new = files.numbers(newest, newest.end + 1 + np.searchsorted(kept, firsts[lives]))
    newest.append(block, newest.last_batch.position, ALL if end == older.end else end)
    index.replace(hashes[lives], old[lives], new)
    if end == older.end:
        files.drop_older()
