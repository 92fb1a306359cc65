# cython: language_level=3, wraparound=False
"""The compiled core: what `consumer.decision.core_py` does with each click, in C.

It is tested against the core in Python. An odd value goes through `schemas.click` alone, which rejects it or returns
it with null for each blank id; that value is decided then. Every read stays inside the value (`click_fields.pxd`).
`click_rows` walks a click, `tables` looks things up, `plans` has what is to be done, `outgoing` holds the updates,
`hits_c` counts, and `digests.h` has the digests.
"""

from cpython cimport array
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from libc.limits cimport INT_MAX
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset

from runtime.records.block cimport BlockValues, IndexEntry
from consumer.decision.click_fields cimport (
    CLICK_ID, CLICKED_AT, FIELDS, FLOW, FLOW_RUN, HAS_COMPANY, HAS_PERSON, IS_CONFIRMED, IS_REPLAYED, IS_TEST, LINK,
    MAILING, PAGE_CLICK_ID, RECIPIENT, TENANT, VERSION, Field, is_blank, is_usual, text_of,
)
from consumer.decision.click_rows cimport Layout, Row
from consumer.decision.plans cimport Plan, PlanHashTable
from consumer.decision.tables cimport BAD, FREE, UNDEFINED, KeyBloomFilter, LinkEntry, LinkHashTable
from runtime.records.outgoing cimport UPDATE_ID_BYTES, Action, PackedUpdates

import array

from consumer.decision.candidates import Candidates
from consumer.decision.slow_path import is_expired
from consumer.changelog.entries import DEDUPE_KEY_BYTES
from consumer.decision.hits import NO_HIT
from consumer.decision.hits_c import Hits
from consumer.decision.plan import find_plan
from consumer.decision.outcome import ClickOutcome
from runtime.records.packed_keys import PackedKeys
from schemas.bad_record import BadRecord
from schemas.click import without_blank_ids
from schemas.click_batch import COMPANY, CONFIRMED, NO_VERSION, PAGE_CLICK, PERSON, REPLAYED, TEST
from schemas.identity import KEY_HASH_BYTES, RECIPIENT_DIGEST_BYTES, SEPARATOR

cdef extern from "digests.h" nogil:
    uint32_t key_hash_of(const uint8_t* key, size_t size)
    void sha1(const uint8_t* data, size_t size, uint8_t* digest)
    void put_big_endian_32(uint8_t* at, uint32_t number)

cdef extern from "blake2b_lanes.h" nogil:
    ctypedef struct Awaited:
        size_t digest_size
    void blake2b_soon(Awaited* awaited, const uint8_t* text, size_t size, uint8_t* digest)
    void blake2b_awaited(Awaited* awaited)

cdef extern from *:
    void fetch "__builtin_prefetch"(const void* at) nogil

cdef enum:
    CACHE_LINE = 64
    AHEAD = 4  # clicks; a fifth less time for keys than without
    DIGEST_BYTES = 12
    RECIPIENT_BYTES = 16
    LINK_BYTES = 8
    MEMORY_KEY = 24

cdef int test_flag = TEST, person_flag = PERSON, company_flag = COMPANY, confirmed_flag = CONFIRMED
cdef int page_click_flag = PAGE_CLICK, replayed_flag = REPLAYED, no_hit_flags = NO_HIT
cdef int64_t no_version = NO_VERSION
cdef uint8_t separator = SEPARATOR[0]
cdef array.array INTS = array.array("i"), LONGS = array.array("q")
if (RECIPIENT_DIGEST_BYTES, KEY_HASH_BYTES, DEDUPE_KEY_BYTES) != (DIGEST_BYTES, RECIPIENT_BYTES - DIGEST_BYTES, MEMORY_KEY):
    raise ImportError("dedupe keys have another form than here")

cdef PlanHashTable plan_cache = PlanHashTable()


cdef class PlanCounter:
    """Clicks on one plan in a batch by outcome, unless they must be counted sequentially."""

    cdef Plan plan
    cdef bint sequential
    cdef Py_ssize_t applied, duplicates


cdef struct Choice:
    # A candidate: its row and the index of its counter.
    int row, counter


cdef class Chosen:
    """The plans of a batch's candidates, in their order. A sequence."""

    cdef Core core

    def __cinit__(self, Core core not None):
        self.core = core

    def __len__(self):
        return self.core.chosen

    def __getitem__(self, wanted):
        cdef Py_ssize_t index = range(self.core.chosen)[wanted]
        return self.core.counter_at(self.core.choices[index].counter).plan.plan


cdef inline void fetch_value(Row* rows, Py_ssize_t row, Py_ssize_t count) noexcept:
    """Prefetch the start of a click, which has left the CPU cache since the click was parsed."""
    if row < count and rows[row].size:
        fetch(rows[row].value)
        fetch(rows[row].value + CACHE_LINE)


cdef inline bytes part(Row* click, Py_ssize_t start, Py_ssize_t end):
    return PyBytes_FromStringAndSize(<const char*>click.value + start, end - start)


cdef void write_uuid(const uint8_t* digest, uint8_t* at) noexcept:
    """Write the UUIDv5 of a SHA-1 digest as text (RFC 9562, section 5.5)."""
    cdef const char* digits = b"0123456789abcdef"
    cdef int index
    cdef uint8_t byte
    for index in range(16):
        byte = digest[index]
        if index == 6:
            byte = byte & 0x0F | 0x50
        elif index == 8:
            byte = byte & 0x3F | 0x80
        if index == 4 or index == 6 or index == 8 or index == 10:
            at[0] = c'-'
            at += 1
        at[0], at[1] = digits[byte >> 4], digits[byte & 15]
        at += 2


cdef class Core:
    """The core over the values of one batch. Implements `Core`."""

    cdef readonly dict bad
    cdef object values, keys
    cdef list layouts, counters, kept
    cdef bytearray digests
    cdef dict numbers
    cdef LinkHashTable link_hash_table
    cdef Row* rows
    cdef Choice* choices
    cdef uint8_t* scratch
    cdef Py_ssize_t scratch_size, count, chosen

    def __cinit__(self, values, layouts):
        self.rows = NULL
        self.choices = NULL
        self.scratch = NULL

    def __dealloc__(self):
        PyMem_Free(self.rows)
        PyMem_Free(self.choices)
        PyMem_Free(self.scratch)

    def __init__(self, values, layouts):
        self.values, self.bad, self.kept = values, {}, []
        self.layouts = [Layout(*known) for known in layouts.items()]
        self.numbers, self.counters, self.digests, self.link_hash_table = {}, [], bytearray(), LinkHashTable()
        self.chosen, self.count = 0, len(self.values)
        self.rows = <Row*>PyMem_Calloc(max(self.count, 1), sizeof(Row))
        self.choices = <Choice*>PyMem_Calloc(max(self.count, 1), sizeof(Choice))
        if self.rows == NULL or self.choices == NULL:
            raise MemoryError
        self.find_values()
        self.walk_all(layouts)

    cdef find_values(self):
        """Index the values: in the block that holds them, or in bytes objects, which are kept alive."""
        cdef Py_ssize_t row
        cdef bytes value
        cdef BlockValues block
        cdef IndexEntry* entry
        if isinstance(self.values, BlockValues):
            block = <BlockValues>self.values
            for row in range(self.count):
                entry = block.records.entry(row)
                self.set_value(row, block.records.block.bytes + entry.value, entry.value_size)
            return
        self.values = [<bytes?>value for value in self.values]
        for row in range(self.count):
            value = self.values[row]
            self.set_value(row, text_of(value), PyBytes_GET_SIZE(value))

    cdef void set_value(self, Py_ssize_t row, const uint8_t* value, Py_ssize_t size) noexcept:
        # A value too large for a row takes the fallback.
        self.rows[row].value, self.rows[row].size = value, size if 0 < size <= INT_MAX else 0

    cdef walk_all(self, layouts):
        cdef Layout layout
        cdef Field fields[FIELDS]
        cdef Row* click
        cdef Py_ssize_t row
        for row in range(self.count):
            click = &self.rows[row]
            layout = self.layout_of(click)
            if layout is None or layout.has_tail or not layout.walk(click.value, click.size, fields):
                self.parse_alone(row, self.values[row], layouts)
            elif is_usual(fields):
                self.enter(click, PyBytes_GET_SIZE(layout.frame), fields)
            else:
                self.parse_alone(row, self.values[row], layouts)

    cdef Layout layout_of(self, Row* click):
        """Return the layout that the header names; the last one found is tried first."""
        cdef Layout layout
        cdef Py_ssize_t index
        for index in range(len(self.layouts)):
            layout = self.layouts[index]
            if layout.stands_before(click.value, click.size):
                if index:
                    self.layouts.insert(0, self.layouts.pop(index))
                return layout
        return None

    cdef void enter(self, Row* row, Py_ssize_t body, Field* fields):
        cdef const uint8_t* value = row.value
        row.body, row.link_end = body, fields[LINK].end - value
        row.tenant, row.tenant_size = fields[TENANT].start - value, fields[TENANT].size
        row.recipient, row.recipient_size = fields[RECIPIENT].start - value, fields[RECIPIENT].size
        row.shared_end = fields[FLOW_RUN].end - value
        row.clicked_at = fields[CLICKED_AT].number
        row.version = fields[VERSION].number if fields[VERSION].present else no_version
        row.flags = fields[IS_TEST].number * test_flag | fields[IS_CONFIRMED].number * confirmed_flag
        row.flags |= fields[IS_REPLAYED].number * replayed_flag
        if fields[PAGE_CLICK_ID].present and not is_blank(&fields[PAGE_CLICK_ID]):
            row.flags |= page_click_flag
        row.flags |= fields[HAS_PERSON].present * person_flag | fields[HAS_COMPANY].present * company_flag

    cdef parse_alone(self, row, bytes value, layouts):
        """Parse the value with the reference implementation: fill in the row, or mark it as bad."""
        cdef bytes click
        try:
            click = without_blank_ids(value, layouts)
        except BadRecord as error:
            # Store a copy: the raised exception's traceback would keep the whole batch alive in a reference cycle.
            self.bad[row] = BadRecord(error.reason, error.detail)
        else:
            self.kept.append(click)
            self.set_value(row, text_of(click), PyBytes_GET_SIZE(click))
            self.enter_parsed(&self.rows[row])

    cdef int enter_parsed(self, Row* row) except -1:
        cdef Field fields[FIELDS]
        cdef Layout layout = self.layout_of(row)
        if layout is None or not layout.walk(row.value, row.size, fields):
            raise RuntimeError("the walk in C refuses a click that schemas.click takes")
        self.enter(row, PyBytes_GET_SIZE(layout.frame), fields)
        return 0

    def __len__(self):
        return self.count

    @property
    def clicks(self):
        """The clicks, for callers that read only a few of them."""
        return self

    cdef Row* click(self, Py_ssize_t row) except NULL:
        """Return the positions of a row's fields; all have size 0 if the row is bad."""
        if row < 0 or row >= self.count:
            raise IndexError(row)
        return &self.rows[row]

    def rows_outside(self, int64_t earliest, int64_t latest):
        """Return the rows of the clicks made before `earliest` or after `latest`."""
        cdef Py_ssize_t row
        return [
            row for row in range(self.count)
            if self.rows[row].clicked_at < earliest or self.rows[row].clicked_at > latest
        ]

    def facts(self, Py_ssize_t row):
        """Return record key, shared fields, recipient, flags and time of the click in this row."""
        cdef Row* click = self.click(row)
        recipient = part(click, click.recipient, click.recipient + click.recipient_size)
        return self.key(row), part(click, click.body, click.shared_end), recipient, click.flags, click.clicked_at

    def plan_key(self, Py_ssize_t row):
        """Return the key of the click's plan: the encoded tenant and link, and the version."""
        cdef Row* click = self.click(row)
        return part(click, click.body, click.link_end), click.version

    def click_id(self, row):
        """Return the click's id, UTF-8."""
        return self.text(row, CLICK_ID)

    def mailing_id(self, row):
        """Return the mailing id, UTF-8; None if the click has none."""
        return self.text(row, MAILING)

    def flow_id(self, row):
        """Return the flow id, UTF-8; None if the click has none."""
        return self.text(row, FLOW)

    def flow_run_id(self, row):
        """Return the flow run id, UTF-8; None if the click has none."""
        return self.text(row, FLOW_RUN)

    cdef text(self, row, int number):
        """Parse the click again for a field that is rarely needed."""
        cdef Field fields[FIELDS]
        cdef Row* click = self.click(row)
        cdef Layout layout = self.layout_of(click)
        if layout is None or not layout.walk(click.value, click.size, fields):
            raise ValueError(f"row {row} is no click")
        return <bytes>fields[number].start[: fields[number].size] if fields[number].present else None

    def choose(self, uint32_t partition, uint32_t partitions, plans, decision):
        """Settle the clicks that need no look-up in the state, and return the others, as `core_py.Core.choose` does."""
        cdef dict bad = decision.dead_letters
        ready = plans.ready
        cdef bytes keys = PyBytes_FromStringAndSize(NULL, self.count * MEMORY_KEY)
        cdef array.array rows = array.clone(INTS, self.count, False), times = array.clone(LONGS, self.count, False)
        cdef Py_ssize_t size, tests = 0, undefined = 0
        cdef int row, counter
        cdef uint32_t key_hash
        cdef uint8_t* at
        cdef Row* click
        cdef Awaited digests
        memset(&digests, 0, sizeof(digests))
        digests.digest_size = DIGEST_BYTES
        for row in range(self.count):
            if bad and row in bad:
                continue
            click = &self.rows[row]
            fetch_value(self.rows, row + AHEAD, self.count)
            size = self.write_key(row)
            key_hash = key_hash_of(self.scratch, size)
            if key_hash % partitions != partition:
                decision.rerouted.append((row, self.key(row), key_hash % partitions))
            elif click.flags & test_flag:
                tests += 1
            else:
                counter = self.counter_of(row, plans, ready, bad)
                if counter == UNDEFINED:
                    undefined += 1
                elif counter != BAD:
                    at = <uint8_t*>text_of(keys) + self.chosen * MEMORY_KEY
                    blake2b_soon(&digests, self.scratch, size, at)
                    put_big_endian_32(at + DIGEST_BYTES, key_hash)
                    memcpy(at + RECIPIENT_BYTES, PyByteArray_AS_STRING(self.digests) + counter * LINK_BYTES, LINK_BYTES)
                    rows.data.as_ints[self.chosen], times.data.as_longlongs[self.chosen] = row, click.clicked_at
                    self.choices[self.chosen].row, self.choices[self.chosen].counter = row, counter
                    self.chosen += 1
        blake2b_awaited(&digests)
        decision.clicks[ClickOutcome.TEST] = tests
        decision.clicks[ClickOutcome.WITHOUT_ACTIONS] = decision.undefined = undefined
        array.resize(rows, self.chosen)
        array.resize(times, self.chosen)
        self.keys = keys[: self.chosen * MEMORY_KEY]
        return Candidates(rows, Chosen(self), PackedKeys(self.keys, MEMORY_KEY), times, list(self.numbers))

    cdef inline PlanCounter counter_at(self, Py_ssize_t number):
        return <PlanCounter>self.counters[number]

    cdef int counter_of(self, int row, plans, ready, dict bad) except? FREE:
        """Return the index of the counter, UNDEFINED without a definition, BAD for a dead letter, noted in `bad`."""
        cdef LinkEntry* slot = self.link_hash_table.find(self.rows, row)
        cdef Row* click = &self.rows[row]
        cdef Plan plan
        cdef int counter = slot.counter
        if counter != FREE:
            return counter
        plan = plan_cache.find(ready, slot.hash, click.value + click.body, click.link_end - click.body, click.version)
        if plan is None:
            name = self.plan_key(row)
            found = find_plan(plans, *name)
            if isinstance(found, BadRecord):
                bad[row] = found
                return BAD
            if found is not None:
                plan = Plan(found)
                if name in ready:
                    plan_cache.keep(ready, slot.hash, click.version, plan)
        counter = UNDEFINED if plan is None else self.number_of(plan)
        self.link_hash_table.keep(slot, counter)
        return counter

    cdef int number_of(self, Plan plan) except -1:
        """Return the index of the plan's counter; make the counter if there is none."""
        cdef Py_ssize_t begun = len(self.counters), number = self.numbers.setdefault(plan.plan, begun)
        cdef PlanCounter counter
        if number == begun:
            counter = PlanCounter()
            counter.plan = plan
            self.counters.append(counter)
            # Copied into the counter: each click would follow three pointers otherwise.
            PyByteArray_Resize(self.digests, (begun + 1) * LINK_BYTES)
            memcpy(PyByteArray_AS_STRING(self.digests) + begun * LINK_BYTES, text_of(plan.digest), LINK_BYTES)
        return number

    def count_hits(self, links, look_up):
        """Look up the click counts of the links."""
        return Hits([self.at_hand(plan) for plan in links], look_up)

    cdef Plan at_hand(self, plan):
        number = self.numbers.get(plan)
        return Plan(plan) if number is None else self.counter_at(number).plan

    def decide(self, candidates, list found, decision, *, sequential, retention_ms, slow_path):
        """Decide the candidates in their order, as `core_py.Core.decide` does."""
        cdef dict fresh = decision.entries
        cdef PackedUpdates updates = PackedUpdates()
        cdef Py_ssize_t index
        cdef bytes key
        cdef Choice* choice
        cdef KeyBloomFilter changed = KeyBloomFilter(self.chosen)
        cdef PlanCounter counter
        cdef Plan plan
        cdef Row* click
        cdef bint is_slow
        cdef const uint8_t* at = text_of(self.keys)
        decision.updates = updates
        for counter in self.counters:
            counter.sequential = counter.plan.plan in sequential
        for index in range(self.chosen):
            choice = &self.choices[index]
            click, counter = &self.rows[choice.row], self.counter_at(choice.counter)
            plan, known, key = counter.plan, found[index], None
            if changed.may_have(at + index * MEMORY_KEY):
                key = PyBytes_FromStringAndSize(<const char*>at + index * MEMORY_KEY, MEMORY_KEY)
                known = fresh.get(key, known)
            if retention_ms is not None and known is not None and is_expired(known, click.clicked_at, retention_ms):
                known = None
            is_slow = counter.sequential or click.flags & no_hit_flags
            if not is_slow and plan.is_duplicate(known):
                counter.duplicates += 1
                continue
            if key is None:
                key = PyBytes_FromStringAndSize(<const char*>at + index * MEMORY_KEY, MEMORY_KEY)
            if not is_slow and plan.is_first(known, click.flags):
                fresh[key] = plan.new_entry(click.clicked_at)
                counter.applied += 1
                self.apply(plan, choice.row, updates)
            else:
                slow_path(choice.row, plan.plan, key, known)
            changed.add(at + index * MEMORY_KEY)
        return (
            {counter.plan.plan: counter.applied for counter in self.counters if counter.applied},
            {counter.plan.plan: counter.duplicates for counter in self.counters if counter.duplicates},
        )

    cdef int apply(self, Plan plan, Py_ssize_t row, PackedUpdates updates) except -1:
        """Append the updates of a first click."""
        cdef Row* click = self.click(row)
        cdef Py_ssize_t key_size = self.write_key(row), size
        cdef uint8_t[20] digest
        cdef uint8_t[UPDATE_ID_BYTES] identifier
        cdef Action action
        for action in plan.actions:
            # The input of the update id's digest follows the key.
            size = PyBytes_GET_SIZE(action.id_prefix)
            self.make_room(key_size + size + click.recipient_size + 1)
            memcpy(self.scratch + key_size, text_of(action.id_prefix), size)
            memcpy(self.scratch + key_size + size, click.value + click.recipient, click.recipient_size)
            size += click.recipient_size
            self.scratch[key_size + size] = separator
            sha1(self.scratch + key_size, size + 1, digest)
            write_uuid(digest, identifier)
            updates.splice(
                action, click.value + click.body, click.shared_end - click.body, self.scratch, key_size, identifier
            )
        return 0

    cdef bytes key(self, Py_ssize_t row):
        cdef Py_ssize_t size = self.write_key(row)
        return PyBytes_FromStringAndSize(<char*>self.scratch, size)

    cdef Py_ssize_t write_key(self, Py_ssize_t row) except -1:
        """Write the record key, `tenant_id/recipient_id`, and return its size."""
        cdef Row* click = self.click(row)
        cdef const uint8_t* value = click.value
        self.make_room(click.tenant_size + 1 + click.recipient_size)
        memcpy(self.scratch, value + click.tenant, click.tenant_size)
        self.scratch[click.tenant_size] = c'/'
        memcpy(self.scratch + click.tenant_size + 1, value + click.recipient, click.recipient_size)
        return click.tenant_size + 1 + click.recipient_size

    cdef int make_room(self, Py_ssize_t size) except -1:
        if size <= self.scratch_size:
            return 0
        cdef void* room = PyMem_Realloc(self.scratch, 2 * size)
        if room == NULL:
            raise MemoryError
        self.scratch, self.scratch_size = <uint8_t*>room, 2 * size
        return 0
