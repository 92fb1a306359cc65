# cython: language_level=3, wraparound=False
"""Records in one block of memory: a Python object is created only for the few records that are read as such.

Implements `runtime.ports.ConsumerRecord` and `BulkRecords`; the reference implementation is a
list of the client library's messages. The bytes are copies, so no object of the client library is kept alive.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, strlen

cdef enum:
    FIRST_BYTES = 1 << 16
    FIRST_ENTRIES = 256
    KEPT_BYTES = 1 << 25  # capacity that a reused block keeps


cdef class Block:
    """Consecutive records. It grows; views of it stay valid because they refer to records by number."""

    def __cinit__(self):
        self.bytes, self.index = NULL, NULL
        self.used = self.room = 0
        self.count = self.capacity = 0

    def __dealloc__(self):
        PyMem_RawFree(self.bytes)
        PyMem_RawFree(self.index)

    def append(self, int32_t partition, int64_t offset, key, value, headers, timestamp):
        """Append one record of the client library: headers or None, and type and time of its timestamp."""
        cdef bytes content
        cdef IndexEntry* entry = self.add(partition, offset)
        cdef bytes name
        if key is not None:
            content = <bytes?>key
            self.set_key(entry, <const char*>content, len(content))
        if value is not None:
            content = <bytes?>value
            self.set_value(entry, <const char*>content, len(content))
        entry.timestamp_kind, entry.timestamp = timestamp
        for text, value in headers or ():
            name = text.encode()
            if value is None:
                self.add_header(entry, name, NULL, ABSENT)
            else:
                content = <bytes?>value
                self.add_header(entry, name, <const char*>content, len(content))

    def records(self):
        """Return all records."""
        return self.records_from(0)

    cdef IndexEntry* add(self, int32_t partition, int64_t offset) except NULL:
        """Start an empty record; the pointer is valid until the next one is started."""
        cdef void* grown
        if self.count == self.capacity:
            grown = PyMem_RawRealloc(self.index, max(2 * self.capacity, FIRST_ENTRIES) * sizeof(IndexEntry))
            if grown == NULL:
                raise MemoryError
            self.index, self.capacity = <IndexEntry*>grown, max(2 * self.capacity, FIRST_ENTRIES)
        cdef IndexEntry* entry = &self.index[self.count]
        self.count += 1
        entry.partition, entry.offset = partition, offset
        entry.key = entry.value = entry.headers = 0
        entry.key_size = entry.value_size = ABSENT
        entry.headers_size = 0
        entry.timestamp_kind, entry.timestamp = 0, -1
        return entry

    cdef int set_key(self, IndexEntry* entry, const void* key, Py_ssize_t size) except -1:
        entry.key, entry.key_size = self.used, size
        return self.put(key, size)

    cdef int set_value(self, IndexEntry* entry, const void* value, Py_ssize_t size) except -1:
        entry.value, entry.value_size = self.used, size
        return self.put(value, size)

    cdef int add_header(self, IndexEntry* entry, const char* name, const void* value, Py_ssize_t size) except -1:
        """Append a header to the last record: two sizes, the name, and the value unless it is absent."""
        cdef Py_ssize_t[2] sizes
        if not entry.headers_size:
            entry.headers = self.used
        sizes[0], sizes[1] = strlen(name), size
        self.put(sizes, sizeof(sizes))
        self.put(name, sizes[0])
        if size > 0:
            self.put(value, size)
        entry.headers_size = self.used - entry.headers
        return 0

    cdef int put(self, const void* content, size_t size) except -1:
        cdef size_t room
        cdef void* grown
        if size > self.room - self.used:
            room = max(2 * self.room, self.used + size, FIRST_BYTES)
            grown = PyMem_RawRealloc(self.bytes, room)
            if grown == NULL:
                raise MemoryError
            self.bytes, self.room = <uint8_t*>grown, room
        if size:
            memcpy(self.bytes + self.used, content, size)
        self.used += size
        return 0

    cdef bytes content(self, size_t start, Py_ssize_t size):
        return None if size == ABSENT else PyBytes_FromStringAndSize(<char*>self.bytes + start, size)

    cdef void clear(self) noexcept:
        """Remove all records; the caller must hold no views of them."""
        self.used = self.count = 0
        if self.room > KEPT_BYTES:
            PyMem_RawFree(self.bytes)
            self.bytes, self.room = NULL, 0

    cdef BlockRecords records_from(self, Py_ssize_t first):
        cdef BlockRecords records = BlockRecords.__new__(BlockRecords, self, self.count - first)
        cdef Py_ssize_t row
        for row in range(records.count):
            records.numbers[row] = first + row
        return records


cdef class BlockRecords:
    """A sequence of some records of a block, in any order."""

    def __cinit__(self, Block block not None, Py_ssize_t count):
        self.block, self.count = block, count
        self.numbers = <int32_t*>PyMem_RawMalloc(max(count, 1) * sizeof(int32_t))
        if self.numbers == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_RawFree(self.numbers)

    def __len__(self):
        return self.count

    def __getitem__(self, wanted):
        cdef BlockRecords some
        cdef Py_ssize_t row, number
        if not isinstance(wanted, slice):
            row = range(self.count)[wanted]
            return BlockRecord(self, row)
        rows = range(self.count)[wanted]
        some = BlockRecords.__new__(BlockRecords, self.block, len(rows))
        for row, number in enumerate(rows):
            some.numbers[row] = self.numbers[number]
        return some

    def __iter__(self):
        cdef Py_ssize_t row
        for row in range(self.count):
            yield BlockRecord(self, row)

    cdef IndexEntry* entry(self, Py_ssize_t row) noexcept:
        return &self.block.index[self.numbers[row]]

    def size_bytes(self):
        """Return the total size of the values in bytes."""
        cdef Py_ssize_t row, size = 0
        for row in range(self.count):
            size += max(self.entry(row).value_size, 0)
        return size

    def values(self):
        """Return the values, in the order of the records."""
        return BlockValues(self)

    def followed_by(self, others):
        """Return these records followed by the others; None if one of those is in another block."""
        cdef BlockRecords other, joined
        cdef Py_ssize_t count = self.count
        for each in others:
            if not isinstance(each, BlockRecords) or (<BlockRecords>each).block is not self.block:
                return None
            count += (<BlockRecords>each).count
        joined = BlockRecords.__new__(BlockRecords, self.block, count)
        count = 0
        for other in [self, *others]:
            memcpy(joined.numbers + count, other.numbers, other.count * sizeof(int32_t))
            count += other.count
        return joined

    def by_partition(self):
        """Return the records of each partition, in their order."""
        cdef dict found = {}
        cdef BlockRecords mine = None
        cdef Py_ssize_t row
        cdef int32_t partition = -1
        for row in range(self.count):
            if mine is None or self.entry(row).partition != partition:
                partition = self.entry(row).partition
                mine = found.get(partition)
                if mine is None:
                    # Allocated for all remaining records; unused pages are never touched.
                    mine = found[partition] = BlockRecords.__new__(BlockRecords, self.block, self.count - row)
                    mine.count = 0
            mine.numbers[mine.count] = self.numbers[row]
            mine.count += 1
        return found


cdef class BlockValues:
    """The values of some records: a sequence of bytes or None."""

    def __init__(self, BlockRecords records not None):
        self.records = records

    def __len__(self):
        return self.records.count

    def __getitem__(self, wanted):
        cdef Py_ssize_t row = range(self.records.count)[wanted]
        cdef IndexEntry* entry = self.records.entry(row)
        return self.records.block.content(entry.value, entry.value_size)

    def __iter__(self):
        cdef Py_ssize_t row
        for row in range(self.records.count):
            yield self[row]

    def fit(self, Py_ssize_t limit):
        """Return whether all values are present and none exceeds the limit."""
        cdef Py_ssize_t row, size
        for row in range(self.records.count):
            size = self.records.entry(row).value_size
            if size == ABSENT or size > limit:
                return False
        return True


cdef class BlockRecord:
    """One record of a block, read like a message of the client library."""

    cdef BlockRecords records
    cdef Py_ssize_t row

    def __init__(self, BlockRecords records not None, Py_ssize_t row):
        self.records, self.row = records, row

    cdef IndexEntry* entry(self) noexcept:
        return self.records.entry(self.row)

    def __len__(self):
        return max(self.entry().value_size, 0)

    def partition(self):
        """Return the partition."""
        return self.entry().partition

    def offset(self):
        """Return the offset."""
        return self.entry().offset

    def key(self):
        """Return the key's bytes or None."""
        return self.records.block.content(self.entry().key, self.entry().key_size)

    def value(self):
        """Return the value's bytes or None."""
        return self.records.block.content(self.entry().value, self.entry().value_size)

    def timestamp(self):
        """Return the type and milliseconds since 1970 UTC."""
        return self.entry().timestamp_kind, self.entry().timestamp

    def headers(self):
        """Return the headers, a list of pairs, or None. Raises UnicodeDecodeError if a name is not UTF-8."""
        cdef size_t at = self.entry().headers, end = at + self.entry().headers_size
        cdef Py_ssize_t[2] sizes
        cdef Block block = self.records.block
        cdef list headers = []
        while at < end:
            memcpy(sizes, block.bytes + at, sizeof(sizes))
            at += sizeof(sizes)
            name = block.content(at, sizes[0]).decode()
            headers.append((name, block.content(at + sizes[0], sizes[1])))
            at += sizes[0] + max(sizes[1], 0)
        return headers or None
