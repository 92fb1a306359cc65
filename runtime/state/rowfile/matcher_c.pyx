# cython: language_level=3, wraparound=False, boundscheck=False, initializedcheck=False
"""Matching in C, on the same tables and files as `matcher_py.Matcher`, the reference implementation.

A call processes about a hundred entries at a time, in three passes: it prefetches their buckets, then the rows that the
buckets name, and only then compares rows. So the cache misses of many entries overlap. Many keys are looked up in the
order of the file, and pages are released on the way: each is mapped once, and few at a time.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

import sys

import numpy as np

from runtime.records.packed_keys import PackedKeys
from runtime.state.rowfile import index as index_layout
from runtime.state.rowfile import row as row_layout
from runtime.state.rowfile.encoding import Block, encode, read_entry, rows_taken

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void* at) nogil

cdef enum:
    ROW_BYTES = 48
    WORDS = 6
    PAYLOAD_BYTES = 42
    KEY_BYTES = 38
    KIND = 42
    VALUE = 43
    REPLACES = 44
    DIGEST = 39
    DIGEST_BYTES = 32
    LONG = 254
    DELETED = 255
    SLOTS = 16
    AT_ONCE = 128
    MAPPED_BYTES = 1 << 22  # gap between rows; Linux maps 64 KiB around each of a group
    ORDERED_BYTES = 1 << 26  # in a file of 288 MB a key took 0.4 to 1.2 microseconds more in order
    SORT_BUCKETS = 1024
    ROW_MASK = 0x7FFFFFFF  # the bits of a row number that give the row within the file

if (
    sys.byteorder != "little"
    or (ROW_BYTES, WORDS, PAYLOAD_BYTES) != (row_layout.ROW_BYTES, row_layout.ROW_WORDS, row_layout.PAYLOAD_BYTES)
    or (KEY_BYTES, DIGEST, DIGEST_BYTES) != (row_layout.KEY_BYTES, row_layout.DIGEST, row_layout.key_length(row_layout.DIGEST))
    or (KIND, VALUE, REPLACES) != (row_layout.KIND, row_layout.VALUE, 4 * row_layout.REPLACES)
    or (LONG, DELETED, SLOTS) != (row_layout.LONG, row_layout.DELETED, index_layout.SLOTS)
):
    raise ImportError("rows or buckets have another layout here than in Python")

cdef uint64_t[WORDS] multipliers = [int(each) for each in row_layout.MULTIPLIERS]
cdef uint64_t finisher = int(row_layout.FINISHER)

cdef struct Wanted:
    const uint8_t* row  # a row that holds the key
    uint64_t bucket
    uint32_t hash
    int slot  # the first slot of the bucket with this hash; -1 if none
    uint32_t number  # first of the slot's row, then of the row that has the key; 0 if none


cdef void* address(array) except? NULL:
    """Return the address of the array, valid until it is resized or freed."""
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_SIMPLE)
    PyBuffer_Release(&view)
    return view.buf


cdef inline int key_length(const uint8_t* row) noexcept nogil:
    return DIGEST_BYTES if row[KIND] == DIGEST else row[KIND]


cdef inline bint is_same_key(const uint8_t* row, const uint8_t* other) noexcept nogil:
    return row[KIND] == other[KIND] and memcmp(row, other, key_length(row)) == 0


cdef inline uint32_t hash_of(const uint8_t* row) noexcept nogil:
    """Return the hash that `hash_keys` computes from the row's `key_part`."""
    cdef uint64_t[WORDS] words
    cdef uint64_t mixed = 0
    cdef int word
    memset(words, 0, ROW_BYTES)
    memcpy(words, row, key_length(row))
    (<uint8_t*>words)[KIND] = row[KIND]
    for word in range(WORDS):
        mixed += words[word] * multipliers[word]
    mixed ^= mixed >> 32
    mixed *= finisher
    return <uint32_t>(mixed >> 32)


cdef inline uint32_t replaced_by(const uint8_t* row) noexcept nogil:
    cdef uint32_t number
    memcpy(&number, row + REPLACES, sizeof(number))
    return number


cdef class Matcher:
    """Implements `Matcher`."""

    cdef object index, files
    cdef dict overflow
    cdef uint32_t* hashes
    cdef uint32_t* numbers
    cdef uint8_t* filled
    cdef uint64_t buckets, level_mask
    cdef const uint8_t* even  # the file with an even generation
    cdef const uint8_t* odd

    def __init__(self, index, files):
        self.index, self.files = index, files

    def look_up(self, keys):
        """Return the value of each key, in order; None if there is none."""
        cdef Py_ssize_t total = len(keys), start
        cdef Py_ssize_t step = total if total <= AT_ONCE or self.are_keys_ordered() else AT_ONCE
        cdef list values = [None] * total
        cdef bytearray rows = bytearray(step * ROW_BYTES)
        cdef bytearray room = bytearray(step * sizeof(Wanted))
        cdef bytearray places = bytearray(step * sizeof(uint32_t))
        cdef Wanted* wanted = <Wanted*>PyByteArray_AS_STRING(room)
        cdef uint32_t* order = <uint32_t*>PyByteArray_AS_STRING(places)
        for start in range(step):
            wanted[start].row = <uint8_t*>PyByteArray_AS_STRING(rows) + start * ROW_BYTES
        self.update_pointers()
        for start in range(0, total, max(step, 1)):
            encode_keys(<uint8_t*>PyByteArray_AS_STRING(rows), keys, start, min(total - start, step))
            self.look_up_some(values, start, wanted, min(total - start, step), order)
        return values

    def encode(self, entries):
        """Return the rows of the entries, in their order; a value of None makes a tombstone.

        Each entry takes one row. Only the last one may take more, since a batch ends with its checkpoint; any other
        batch is encoded in numpy.
        """
        cdef Py_ssize_t size, value_size, short = 0, total = len(entries)
        cdef bint is_last_long = False
        for key, value in entries.items():
            value_size = 0 if value is None else len(value)
            if len(key) > KEY_BYTES or len(key) + value_size > PAYLOAD_BYTES:
                is_last_long = short == total - 1
                break
            short += 1
        if short < total and not is_last_long:
            return encode(entries)
        last = encode({key: value}).rows[1:] if is_last_long else ()
        rows = np.zeros((1 + short + len(last), WORDS), dtype=np.uint64)
        if is_last_long:
            rows[1 + short:] = last
        cdef uint8_t* row = <uint8_t*>address(rows)
        for key, value in entries.items():
            if not short:
                break
            short -= 1
            row += ROW_BYTES
            size = PyBytes_GET_SIZE(<bytes?>key)
            memcpy(row, PyBytes_AS_STRING(key), size)
            row[KIND] = <uint8_t>size
            if value is None:
                row[VALUE] = DELETED
                continue
            value_size = PyBytes_GET_SIZE(<bytes?>value)
            memcpy(row + size, PyBytes_AS_STRING(value), value_size)
            row[VALUE] = <uint8_t>value_size
        return Block(rows, np.arange(1, total + 1))

    def mark_replaced(self, block):
        """Set in each entry's row the number of the row it replaces; return how many live rows the block adds."""
        cdef Wanted[AT_ONCE] wanted
        cdef (Wanted*)[AT_ONCE] group
        cdef uint8_t* rows = <uint8_t*>address(block.rows)
        cdef const int64_t* firsts = <const int64_t*>address(block.entries)
        cdef Py_ssize_t total = len(block.entries), start, count, place
        cdef Py_ssize_t gained = len(block.rows) - 1
        cdef uint8_t* row
        cdef list longer = []
        self.update_pointers()
        for start in range(0, total, AT_ONCE):
            count = min(total - start, AT_ONCE)
            for place in range(count):
                wanted[place].row = rows + firsts[start + place] * ROW_BYTES
                group[place] = &wanted[place]
            self.find_candidates(wanted, count)
            self.find_rows(group, count)
            for place in range(count):
                row = rows + firsts[start + place] * ROW_BYTES
                memcpy(row + REPLACES, &wanted[place].number, sizeof(uint32_t))
                gained -= row[VALUE] == DELETED
                if not wanted[place].number:
                    continue
                if self.row(wanted[place].number)[VALUE] == LONG:
                    longer.append(wanted[place].number)
                else:
                    gained -= 1
        return gained - rows_taken(self.files.take(np.array(longer, dtype=np.int64))) if longer else gained

    def insert(self, block, uint32_t first):
        """Insert the rows of a written block into the index; `first` is the number of its first row."""
        cdef const uint8_t* rows = <const uint8_t*>address(block.rows)
        cdef const int64_t* firsts = <const int64_t*>address(block.entries)
        cdef const uint8_t* row
        cdef Py_ssize_t place, added = 0
        cdef uint32_t old, new
        cdef list gone = []
        self.update_pointers()
        for place in range(len(block.entries)):
            row, new = rows + firsts[place] * ROW_BYTES, first + <uint32_t>firsts[place]
            old = replaced_by(row)
            if row[VALUE] == DELETED:
                if old:
                    gone.append((hash_of(row), old))
            elif old:
                self.replace(self.bucket_of(hash_of(row)), old, new)
            else:
                self.insert_row(hash_of(row), new)
                added += 1
        self.index.size += added
        if gone:
            hashes, numbers = zip(*gone)
            self.index.remove(np.array(hashes, dtype=np.uint32), np.array(numbers, dtype=np.int64))

    cdef bint are_keys_ordered(self) except -1:
        return MAPPED_BYTES < sum(segment.end for segment in self.files.all) * ROW_BYTES <= ORDERED_BYTES

    cdef int look_up_some(
        self, list values, Py_ssize_t start, Wanted* wanted, Py_ssize_t total, uint32_t* order
    ) except -1:
        """Set the values, from `start` on, of the keys whose rows are filled in; `order` has space for as many."""
        cdef (Wanted*)[AT_ONCE] group
        cdef Py_ssize_t known, first, count, place
        cdef uint64_t at, released = 0
        for first in range(0, total, AT_ONCE):
            self.find_candidates(wanted + first, min(total - first, AT_ONCE))
        known = self.sort_by_row(wanted, total, order)
        for first in range(0, known, AT_ONCE):
            count = min(known - first, AT_ONCE)
            for place in range(count):
                group[place] = &wanted[order[first + place]]
            at = <uint64_t>(group[0].number & ROW_MASK) * ROW_BYTES
            if first and at >= released + MAPPED_BYTES:
                self.files.release_pages()
                released = at
            self.find_rows(group, count)
            for place in range(count):
                if group[place].number:
                    values[start + (group[place] - wanted)] = self.value_of(group[place].number)
        return 0

    cdef int update_pointers(self) except -1:
        """Update the addresses of tables and files: both move as they grow, and there are one or two files."""
        index, newest, older = self.index, self.files.newest, self.files.older
        self.hashes, self.numbers = <uint32_t*>address(index.hashes), <uint32_t*>address(index.rows)
        self.filled, self.overflow = <uint8_t*>address(index.filled), index.overflow
        self.buckets, self.level_mask = index.buckets, (1 << index.level) - 1
        even, odd = (newest, older or newest)[:: -1 if newest.generation & 1 else 1]
        self.even, self.odd = <const uint8_t*>address(even.rows), <const uint8_t*>address(odd.rows)
        return 0

    cdef inline uint64_t bucket_of(self, uint32_t hash_) noexcept nogil:
        cdef uint64_t bucket = hash_ & (2 * self.level_mask + 1)
        return bucket if bucket < self.buckets else bucket & self.level_mask

    cdef inline const uint8_t* row(self, uint32_t number) noexcept nogil:
        return (self.odd if number >> 31 else self.even) + <uint64_t>(number & ROW_MASK) * ROW_BYTES

    cdef inline int next_slot(self, const Wanted* wanted, int slot) noexcept nogil:
        """Return the first slot from here on that has the hash; -1 if there is none."""
        cdef uint64_t start = wanted.bucket * SLOTS
        for slot in range(slot, SLOTS):
            if self.hashes[start + slot] == wanted.hash and self.numbers[start + slot]:
                return slot
        return -1

    cdef int find_candidates(self, Wanted* wanted, Py_ssize_t count) noexcept nogil:
        """Find the rows that may have the keys."""
        cdef Py_ssize_t place
        cdef Wanted* each
        for place in range(count):
            each = &wanted[place]
            each.hash = hash_of(each.row)
            each.bucket = self.bucket_of(each.hash)
            prefetch(&self.hashes[each.bucket * SLOTS])
            prefetch(&self.numbers[each.bucket * SLOTS])
        for place in range(count):
            each = &wanted[place]
            each.slot = self.next_slot(each, 0)
            each.number = self.numbers[each.bucket * SLOTS + each.slot] if each.slot >= 0 else 0

    cdef Py_ssize_t sort_by_row(self, const Wanted* wanted, Py_ssize_t total, uint32_t* order) noexcept:
        """Collect the indices of the keys that may be known, roughly in file order if they are many; return their number.

        A counting sort by part of the file: an exact order with numpy takes 25 ns a key.
        """
        cdef Py_ssize_t[SORT_BUCKETS + 1] starts
        cdef Py_ssize_t place, known = 0
        cdef uint32_t most = 0
        cdef int sort_bucket, shift = 0
        cdef bint is_any_overflow = bool(self.overflow)
        for place in range(total):
            if wanted[place].number or is_any_overflow:
                order[known] = <uint32_t>place
                known += 1
                most |= wanted[place].number & ROW_MASK
        if known <= AT_ONCE:
            return known
        while most >> shift >= SORT_BUCKETS:
            shift += 1
        memset(starts, 0, sizeof(starts))
        for place in range(total):
            if wanted[place].number or is_any_overflow:
                starts[((wanted[place].number & ROW_MASK) >> shift) + 1] += 1
        for sort_bucket in range(SORT_BUCKETS):
            starts[sort_bucket + 1] += starts[sort_bucket]
        for place in range(total):
            if wanted[place].number or is_any_overflow:
                sort_bucket = (wanted[place].number & ROW_MASK) >> shift
                order[starts[sort_bucket]] = <uint32_t>place
                starts[sort_bucket] += 1
        return known

    cdef int find_rows(self, Wanted** group, Py_ssize_t count) except -1:
        """Find the rows that have the keys, after `find_candidates`."""
        cdef Py_ssize_t place
        for place in range(count):
            if group[place].number:
                prefetch(self.row(group[place].number))
        for place in range(count):
            group[place].number = self.match(group[place])
        return 0

    cdef uint32_t match(self, const Wanted* wanted) except? 0:
        cdef int slot = wanted.slot
        cdef uint32_t number
        while slot >= 0:
            number = self.numbers[wanted.bucket * SLOTS + slot]
            if is_same_key(self.row(number), wanted.row):
                return number
            slot = self.next_slot(wanted, slot + 1)
        if self.overflow and self.filled[wanted.bucket] == SLOTS:
            for number, hash_ in self.overflow.get(wanted.bucket, {}).items():
                if hash_ == wanted.hash and is_same_key(self.row(number), wanted.row):
                    return number
        return 0

    cdef object value_of(self, uint32_t number):
        cdef const uint8_t* row = self.row(number)
        if row[VALUE] != LONG:
            return PyBytes_FromStringAndSize(<const char*>row + key_length(row), row[VALUE])
        return read_entry(PyBytes_FromStringAndSize(<const char*>row, ROW_BYTES), number, self.files.following)[1]

    cdef int insert_row(self, uint32_t hash_, uint32_t number) except -1:
        cdef uint64_t bucket = self.bucket_of(hash_)
        cdef uint64_t slot = bucket * SLOTS + self.filled[bucket]
        if self.filled[bucket] == SLOTS:
            self.overflow.setdefault(bucket, {})[number] = hash_
            return 0
        self.hashes[slot], self.numbers[slot] = hash_, number
        self.filled[bucket] += 1
        return 0

    cdef int replace(self, uint64_t bucket, uint32_t old, uint32_t new) except -1:
        cdef uint64_t slot
        for slot in range(bucket * SLOTS, bucket * SLOTS + SLOTS):
            if self.numbers[slot] == old:
                self.numbers[slot] = new
                return 0
        overflow = self.overflow[bucket]
        overflow[new] = overflow.pop(old)
        return 0


cdef int encode_keys(uint8_t* row, keys, Py_ssize_t start, Py_ssize_t count) except -1:
    """Encode `count` keys, from `start` on, as one row each."""
    cdef bytes key
    cdef const char* joined
    cdef Py_ssize_t size, place
    if isinstance(keys, PackedKeys) and keys.size <= KEY_BYTES:
        key, size = keys.joined, keys.size
        joined = PyBytes_AS_STRING(key) + start * size
        for place in range(count):
            memcpy(row, joined + place * size, size)
            row[KIND] = <uint8_t>size
            row += ROW_BYTES
        return 0
    for place in range(count):
        key = keys[start + place]
        size = PyBytes_GET_SIZE(key)
        if size > KEY_BYTES:
            key, size = row_layout.row_key(key)
        memcpy(row, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        row[KIND] = <uint8_t>size
        row += ROW_BYTES
    return 0
