# cython: language_level=3, wraparound=False
"""The compiled core: what `consumer.decision.pure` does with each click, in C.

The pure core is its twin and its judge. What is odd about a value goes through `schemas.click.cut_click`, which alone
condemns; a batch in which that takes what was doubted here is left to the twin as a whole. Every read stays inside
the value (`click_fields.pxd`). `digests.h` has the three digests.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from libc.limits cimport INT_MAX
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from consumer.decision.click_fields cimport (
    CLICK_ID, CLICKED_AT, FIELDS, FLOW, FLOW_RUN, HAS_COMPANY, HAS_PERSON, IS_TEST, LINK, MAILING, RECIPIENT, TENANT,
    VERSION, Cursor, Field, is_identity, read_field, text_of,
)

from functools import lru_cache

from consumer.decision.candidates import Candidates
from consumer.decision.general import is_expired
from consumer.decision.memory import PLAIN
from consumer.decision.plan import find_plan
from consumer.decision.update import UPDATE_ID_LENGTH
from consumer.loop.counts import ClickOutcome
from schemas.bad_record import BadRecord
from schemas.click import cut_click
from schemas.click_batch import COMPANY, NO_VERSION, PERSON, TEST
from schemas.identity import PLACE_BYTES, RECIPIENT_DIGEST_BYTES, SEPARATOR

cdef extern from "digests.h" nogil:
    uint32_t place_of(const uint8_t* key, size_t size)
    void sha1(const uint8_t* data, size_t size, uint8_t* digest)
    void blake2b(const uint8_t* data, size_t size, uint8_t* digest, size_t digest_size)
    void put_big_endian_32(uint8_t* at, uint32_t number)
    void put_big_endian_64(uint8_t* at, uint64_t number)

cdef enum:
    UPDATE_ID_BYTES = 36
    MEMORY_HEAD_BYTES = 9
    DIGEST_BYTES = 12
    RECIPIENT_BYTES = 16

cdef int test_flag = TEST, person_flag = PERSON, company_flag = COMPANY
cdef int64_t no_version = NO_VERSION
cdef uint8_t plain_format = PLAIN, separator = SEPARATOR[0], id_length = UPDATE_ID_LENGTH[0]
cdef str CE_ID = "ce_id"
if (RECIPIENT_DIGEST_BYTES, PLACE_BYTES) != (DIGEST_BYTES, RECIPIENT_BYTES - DIGEST_BYTES):
    raise ImportError("memory keys have another form than here")

cdef struct Row:
    # What the loops need of a click, as places in its value.
    int body, tenant, tenant_size, link_end, recipient, recipient_size, shared_end, flags
    int64_t clicked_at, version


cdef class Layout:
    """A frame and the letters of the fields behind it; nobody walks a `tail` here."""

    cdef bytes frame, codes
    cdef bint has_tail

    def __init__(self, frame, layout):
        self.frame, self.codes, self.has_tail = frame, layout.codes.encode(), layout.tail is not None

    cdef bint stands_before(self, bytes value):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.frame)
        return PyBytes_GET_SIZE(value) >= size and not memcmp(text_of(value), text_of(self.frame), size)

    cdef bint walk(self, bytes value, Field* fields):
        """Fill in the first fields of a value with this frame; tell whether the click is one that `cut_click` takes."""
        cdef Field beyond
        cdef Cursor cursor
        cdef Py_ssize_t number
        cdef const uint8_t* codes = text_of(self.codes)
        if self.has_tail or PyBytes_GET_SIZE(value) > INT_MAX:
            return False
        cursor.at = text_of(value) + PyBytes_GET_SIZE(self.frame)
        cursor.end = text_of(value) + PyBytes_GET_SIZE(value)
        for number in range(PyBytes_GET_SIZE(self.codes)):
            if not read_field(&cursor, codes[number], &fields[number] if number < FIELDS else &beyond):
                return False
        if cursor.at != cursor.end or memchr(fields[TENANT].start, c'/', fields[TENANT].size) != NULL:
            return False
        if fields[VERSION].present and fields[VERSION].number < 1:
            return False
        return is_identity(&fields[TENANT]) and is_identity(&fields[LINK]) and is_identity(&fields[RECIPIENT])


cdef class Plan:
    """A LinkPlan at hand: its fields without a look-up by name. The same for all batches, so never changed."""

    cdef readonly object plan
    cdef bytes digest, full
    cdef int needs
    cdef list actions

    def __init__(self, plan):
        self.plan, self.needs = plan, plan.needs
        self.digest, self.full = <bytes?>plan.digest, <bytes?>plan.full
        # Nothing to go through, not even in vain: a plan that is not simple is never to come here (`Hits.in_turn`).
        self.actions = [Action(action) for action in plan.actions] if plan.simple else None

    cdef bint is_first(self, object known, int flags):
        return known is None and (flags & self.needs) == self.needs

    cdef bint is_duplicate(self, bytes known):
        """Tell whether the memory is that of all actions of the link, each applied at the first click."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.full)
        if known is None or PyBytes_GET_SIZE(known) != MEMORY_HEAD_BYTES + size or text_of(known)[0] != plain_format:
            return False
        return not memcmp(text_of(known) + MEMORY_HEAD_BYTES, text_of(self.full), size)

    cdef bytes memory(self, int64_t clicked_at):
        """Return what to remember of a first click."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.full)
        cdef bytes value = PyBytes_FromStringAndSize(NULL, MEMORY_HEAD_BYTES + size)
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(value)
        at[0] = plain_format
        put_big_endian_64(at + 1, <uint64_t>clicked_at)
        memcpy(at + MEMORY_HEAD_BYTES, text_of(self.full), size)
        return value


# Batches that follow each other are about the same links, mostly.
prepare = lru_cache(8_192)(Plan)


cdef class Tally:
    """What a batch counts of one plan: its clicks by outcome, where they need not be counted in turn."""

    cdef Plan plan
    cdef bint in_turn
    cdef Py_ssize_t applied, duplicates


cdef class Action:
    """An ActionPlan at hand, of those that are the same at every click."""

    cdef object topic
    cdef bytes id_prefix, frame, suffix
    cdef tuple headers

    def __init__(self, action):
        self.topic, self.headers, self.id_prefix = action.topic, <tuple?>action.headers, <bytes?>action.id_prefix
        self.frame, self.suffix = <bytes?>action.frame, <bytes?>action.suffix

    cdef tuple update(self, const uint8_t* shared, Py_ssize_t size, bytes key, bytes identifier):
        """Splice an update, as `consumer.decision.update.make_update` does."""
        cdef Py_ssize_t frame = PyBytes_GET_SIZE(self.frame), suffix = PyBytes_GET_SIZE(self.suffix)
        cdef bytes value = PyBytes_FromStringAndSize(NULL, frame + size + 1 + UPDATE_ID_BYTES + suffix)
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(value)
        memcpy(at, text_of(self.frame), frame)
        memcpy(at + frame, shared, size)
        at += frame + size
        at[0] = id_length
        memcpy(at + 1, text_of(identifier), UPDATE_ID_BYTES)
        memcpy(at + 1 + UPDATE_ID_BYTES, text_of(self.suffix), suffix)
        return self.topic, value, key, [*self.headers, (CE_ID, identifier)]


cdef bytes write_uuid(const uint8_t* digest):
    """Return the text of the UUIDv5 that a SHA-1 makes (RFC 9562, section 5.5)."""
    cdef const char* digits = b"0123456789abcdef"
    cdef bytes text = PyBytes_FromStringAndSize(NULL, UPDATE_ID_BYTES)
    cdef char* at = PyBytes_AS_STRING(text)
    cdef int place
    cdef uint8_t byte
    for place in range(16):
        byte = digest[place]
        if place == 6:
            byte = byte & 0x0F | 0x50
        elif place == 8:
            byte = byte & 0x3F | 0x80
        if place == 4 or place == 6 or place == 8 or place == 10:
            at[0] = c'-'
            at += 1
        at[0], at[1] = digits[byte >> 4], digits[byte & 15]
        at += 2
    return text


cdef class CompiledCore:
    """The core over the values of one batch. Implements `Core`; where `in_doubt`, its twin must take the batch."""

    cdef readonly dict bad
    cdef readonly bint in_doubt
    cdef list values, layouts, chosen
    cdef dict found, tallies
    cdef Row* rows
    cdef uint8_t* scratch
    cdef Py_ssize_t scratch_size, count

    def __cinit__(self, values, layouts):
        self.rows = NULL
        self.scratch = NULL

    def __dealloc__(self):
        PyMem_Free(self.rows)
        PyMem_Free(self.scratch)

    def __init__(self, values, layouts):
        cdef Layout layout
        cdef Field fields[FIELDS]
        cdef Py_ssize_t row
        cdef bytes value
        self.values, self.bad, self.in_doubt = [<bytes?>value for value in values], {}, False
        self.layouts = [Layout(*known) for known in layouts.items()]
        self.chosen, self.found, self.tallies = [], {}, {}
        self.count = len(self.values)
        self.rows = <Row*>PyMem_Calloc(max(self.count, 1), sizeof(Row))
        if self.rows == NULL:
            raise MemoryError
        for row in range(self.count):
            value = self.values[row]
            layout = self.layout_of(value)
            if layout is not None and layout.walk(value, fields):
                self.enter(&self.rows[row], text_of(value), PyBytes_GET_SIZE(layout.frame), fields)
            else:
                self.judge(row, value, layouts)

    cdef Layout layout_of(self, bytes value):
        """Return the layout that the frame names; the last one found is the first to be tried."""
        cdef Layout layout
        cdef Py_ssize_t place
        for place in range(len(self.layouts)):
            layout = self.layouts[place]
            if layout.stands_before(value):
                if place:
                    self.layouts.insert(0, self.layouts.pop(place))
                return layout
        return None

    cdef void enter(self, Row* row, const uint8_t* value, Py_ssize_t body, Field* fields):
        row.body, row.link_end = body, fields[LINK].end - value
        row.tenant, row.tenant_size = fields[TENANT].start - value, fields[TENANT].size
        row.recipient, row.recipient_size = fields[RECIPIENT].start - value, fields[RECIPIENT].size
        row.shared_end = fields[FLOW_RUN].end - value
        row.clicked_at = fields[CLICKED_AT].number
        row.version = fields[VERSION].number if fields[VERSION].present else no_version
        row.flags = fields[IS_TEST].number * test_flag
        row.flags |= fields[HAS_PERSON].present * person_flag | fields[HAS_COMPANY].present * company_flag

    cdef judge(self, row, bytes value, layouts):
        try:
            cut_click(value, layouts)
        except BadRecord as error:
            # Not the one that was raised: its frames hold this batch, in a circle that is found late if at all.
            self.bad[row] = BadRecord(error.reason, error.detail)
        else:
            self.in_doubt = True

    def __len__(self):
        return self.count

    @property
    def clicks(self):
        """The clicks, for those who ask about few of them."""
        return self

    cdef Row* click(self, Py_ssize_t row) except NULL:
        """Return what is known of a row; nothing, as places of no size, where it is bad."""
        if row < 0 or row >= self.count:
            raise IndexError(row)
        return &self.rows[row]

    def rows_outside(self, int64_t earliest, int64_t latest):
        """Return the rows whose click was at another time than from `earliest` to `latest`."""
        cdef Py_ssize_t row
        return [
            row for row in range(self.count)
            if self.rows[row].clicked_at < earliest or self.rows[row].clicked_at > latest
        ]

    def facts(self, Py_ssize_t row):
        """Return record key, shared fields, recipient, flags and time of the click in this row."""
        cdef Row* click = self.click(row)
        cdef bytes value = self.values[row]
        recipient = value[click.recipient : click.recipient + click.recipient_size]
        return self.key(row), value[click.body : click.shared_end], recipient, click.flags, click.clicked_at

    def plan_key(self, Py_ssize_t row):
        """Return by what the plan is found: the encoded tenant and link, and the version."""
        cdef Row* click = self.click(row)
        return (<bytes>self.values[row])[click.body : click.link_end], click.version

    def click_id(self, row):
        """Return the click's id, UTF-8."""
        return self.text(row, CLICK_ID)

    def mailing_id(self, row):
        """Return the mailing, UTF-8; None where the click names none."""
        return self.text(row, MAILING)

    def flow_id(self, row):
        """Return the flow, UTF-8; None where the click names none."""
        return self.text(row, FLOW)

    def flow_run_id(self, row):
        """Return the flow run, UTF-8; None where the click names none."""
        return self.text(row, FLOW_RUN)

    cdef text(self, row, int number):
        """Walk the click once more, for what only few clicks are asked for."""
        cdef Field fields[FIELDS]
        cdef bytes value = self.values[row]
        cdef Layout layout = self.layout_of(value)
        if layout is None or not layout.walk(value, fields):
            raise ValueError(f"row {row} is no click")
        return <bytes>fields[number].start[: fields[number].size] if fields[number].present else None

    def choose(self, uint32_t partition, uint32_t partitions, plans, decision):
        """Settle every click that is no matter for the state, and return the others, as `PureCore.choose` does."""
        cdef list rows = [], chosen = [], keys = [], times = []
        cdef dict bad = decision.dead_letters
        cdef Py_ssize_t row, size, tests = 0, undefined = 0
        cdef uint32_t place
        cdef Row* click
        cdef Tally tally
        for row in range(self.count):
            if bad and row in bad:
                continue
            click = &self.rows[row]
            size = self.write_key(row)
            place = place_of(self.scratch, size)
            if place % partitions != partition:
                decision.sent_on.append((row, self.key(row), place % partitions))
                continue
            if click.flags & test_flag:
                tests += 1
                continue
            found = self.tally_of(row, plans)
            if found is None:
                undefined += 1
                continue
            if not isinstance(found, Tally):
                bad[row] = found
                continue
            tally = <Tally>found
            rows.append(row)
            self.chosen.append(tally)
            chosen.append(tally.plan.plan)
            keys.append(self.memory_key(size, place, tally.plan.digest))
            times.append(click.clicked_at)
        decision.clicks[ClickOutcome.TEST] = tests
        decision.clicks[ClickOutcome.WITHOUT_ACTIONS] = undefined
        return Candidates(rows, chosen, keys, times, list(self.tallies))

    cdef bytes memory_key(self, Py_ssize_t size, uint32_t place, bytes link):
        """Return the digest of the record key that was just written, its place, and the digest of the link."""
        cdef bytes key = PyBytes_FromStringAndSize(NULL, RECIPIENT_BYTES + PyBytes_GET_SIZE(link))
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(key)
        blake2b(self.scratch, size, at, DIGEST_BYTES)
        put_big_endian_32(at + DIGEST_BYTES, place)
        memcpy(at + RECIPIENT_BYTES, text_of(link), PyBytes_GET_SIZE(link))
        return key

    cdef tally_of(self, Py_ssize_t row, plans):
        """Return the Tally of the plan, None for a link nobody defined, or why the record is bad."""
        cdef Row* click = self.click(row)
        cdef Py_ssize_t size = click.link_end - click.body
        cdef bytes named = PyBytes_FromStringAndSize(NULL, size + sizeof(int64_t))
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(named)
        memcpy(at, text_of(self.values[row]) + click.body, size)
        memcpy(at + size, &click.version, sizeof(int64_t))
        try:
            return self.found[named]
        except KeyError:
            plan = find_plan(plans, *self.plan_key(row))
        if isinstance(plan, BadRecord):
            return plan
        self.found[named] = None if plan is None else self.tally(plan)
        return self.found[named]

    cdef Tally tally(self, plan):
        cdef Tally tally = self.tallies.get(plan)
        if tally is None:
            tally = self.tallies[plan] = Tally()
            tally.plan = prepare(plan)
        return tally

    def decide(self, candidates, list recalled, decision, *, in_turn, retention_ms, closely):
        """Decide the candidates in their order, as `PureCore.decide` does."""
        cdef dict fresh = decision.memory
        cdef list updates = decision.updates, rows = candidates.rows, keys = candidates.keys
        cdef Py_ssize_t index, row
        cdef Tally tally
        cdef Plan plan
        cdef Row* click
        for tally in self.tallies.values():
            tally.in_turn = tally.plan.plan in in_turn
        for index in range(len(rows)):
            row, key, tally = rows[index], keys[index], self.chosen[index]
            click, plan = self.click(row), tally.plan
            known = fresh.get(key, recalled[index])
            if retention_ms is not None and known is not None and is_expired(known, click.clicked_at, retention_ms):
                known = None
            if tally.in_turn:
                closely(row, plan.plan, key, known)
            elif plan.is_first(known, click.flags):
                fresh[key] = plan.memory(click.clicked_at)
                tally.applied += 1
                self.apply(plan, row, updates)
            elif plan.is_duplicate(known):
                tally.duplicates += 1
            else:
                closely(row, plan.plan, key, known)
        return (
            {tally.plan.plan: tally.applied for tally in self.tallies.values() if tally.applied},
            {tally.plan.plan: tally.duplicates for tally in self.tallies.values() if tally.duplicates},
        )

    cdef apply(self, Plan plan, Py_ssize_t row, list updates):
        """Add the updates of a first click."""
        cdef Row* click = self.click(row)
        cdef const uint8_t* value = text_of(self.values[row])
        cdef bytes key = self.key(row)
        cdef Action action
        cdef Py_ssize_t size
        cdef uint8_t digest[20]
        for action in plan.actions:
            size = PyBytes_GET_SIZE(action.id_prefix)
            self.make_room(size + click.recipient_size + 1)
            memcpy(self.scratch, text_of(action.id_prefix), size)
            memcpy(self.scratch + size, value + click.recipient, click.recipient_size)
            self.scratch[size + click.recipient_size] = separator
            sha1(self.scratch, size + click.recipient_size + 1, digest)
            updates.append(
                action.update(value + click.body, click.shared_end - click.body, key, write_uuid(digest))
            )

    cdef bytes key(self, Py_ssize_t row):
        cdef Py_ssize_t size = self.write_key(row)
        return PyBytes_FromStringAndSize(<char*>self.scratch, size)

    cdef Py_ssize_t write_key(self, Py_ssize_t row) except -1:
        """Write the record key, `tenant_id/recipient_id`, and return its size."""
        cdef Row* click = self.click(row)
        cdef const uint8_t* value = text_of(self.values[row])
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
