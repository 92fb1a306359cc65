"""Expired dedupe entries are deleted."""

from collections.abc import Mapping

from consumer.changelog.entries import (
    DEDUPE_KEY_BYTES,
    ONE_CLICK,
    PLAIN,
    SCOPED_KEY_BYTES,
    DedupeEntry,
    encode_entry,
)
from consumer.decision.decision import Decision
from consumer.loop.retention import LATE_MS, ONE_CLICK_MS, RetentionSweeper
from runtime.state.in_memory import MemoryState
from schemas.identity import recipient_digest

DAY_MS = 86_400_000
NOW = 1_800_000_000_000


def a_key(number: int, length: int = DEDUPE_KEY_BYTES) -> bytes:
    return number.to_bytes(length, "big")


def a_decision(*, clicked_at: int = NOW, entries: Mapping[bytes, bytes | None] | None = None) -> Decision:
    return Decision(clicked_at=[clicked_at], entries=dict(entries or {a_key(0): encode_entry(DedupeEntry(clicked_at))}))


def a_click_entry(clicked_at: int) -> bytes:
    return encode_entry(DedupeEntry(clicked_at, applied=1), ONE_CLICK)


def a_plain_entry(clicked_at: int) -> bytes:
    return encode_entry(DedupeEntry(clicked_at, applied=1), PLAIN)


def forgotten(
    sweeper: RetentionSweeper, entries: Mapping[bytes, bytes], decision: Decision, *, now: int = NOW
) -> set[bytes]:
    store = MemoryState().open(0, "changelog")
    store.write(entries, 1)
    return set(sweeper.sweep(0, store, decision, now)) - decision.entries.keys()


def test_click_id_expires_after_a_day() -> None:
    entries = {
        a_key(1, SCOPED_KEY_BYTES): a_click_entry(NOW - ONE_CLICK_MS - 1),
        a_key(2, SCOPED_KEY_BYTES): a_click_entry(NOW - ONE_CLICK_MS),
        a_key(3): a_plain_entry(NOW - 400 * DAY_MS),
    }
    decision = a_decision(entries={a_key(9, SCOPED_KEY_BYTES): a_click_entry(NOW)})
    assert forgotten(RetentionSweeper(None), entries, decision) == {a_key(1, SCOPED_KEY_BYTES)}


def test_nothing_is_examined_without_retention_and_click_ids() -> None:
    entries = {a_key(1, SCOPED_KEY_BYTES): a_click_entry(NOW - 2 * DAY_MS)}
    assert forgotten(RetentionSweeper(None), entries, a_decision()) == set()


def test_entries_outlive_retention_for_late_clicks() -> None:
    retention_ms = 30 * DAY_MS
    entries = {
        a_key(1): a_plain_entry(NOW - retention_ms - LATE_MS - 1),
        a_key(2): a_plain_entry(NOW - retention_ms - LATE_MS),
    }
    assert forgotten(RetentionSweeper(retention_ms), entries, a_decision()) == {a_key(1)}


def test_age_is_that_of_the_last_addition() -> None:
    retention_ms = 30 * DAY_MS
    oldest = NOW - retention_ms - LATE_MS
    entries = {
        a_key(number): encode_entry(DedupeEntry(0, applied=3, last_applied={0: 5, 1: added_at}))
        for number, added_at in enumerate([oldest - 1, oldest], start=1)
    }
    assert forgotten(RetentionSweeper(retention_ms), entries, a_decision()) == {a_key(1)}


def test_click_from_the_future_expires_nothing() -> None:
    retention_ms = 30 * DAY_MS
    entries = {a_key(1): a_plain_entry(NOW - retention_ms - LATE_MS)}
    assert forgotten(RetentionSweeper(retention_ms), entries, a_decision(clicked_at=NOW + DAY_MS)) == set()


def test_entries_of_the_same_batch_are_kept() -> None:
    entries = {a_key(1): a_plain_entry(0)}
    decision = a_decision(entries={a_key(1): a_plain_entry(NOW)})
    assert forgotten(RetentionSweeper(30 * DAY_MS), entries, decision) == set()


def test_hits_and_checkpoints_never_expire() -> None:
    entries = {a_key(1, 16): b"\x10" + bytes(24), b"\x00partitions": b"\x00\x00\x00\x04"}
    assert forgotten(RetentionSweeper(30 * DAY_MS), entries, a_decision()) == set()


def test_sweep_examines_every_entry() -> None:
    store = MemoryState().open(0, "changelog")
    entries = {a_key(number): a_plain_entry(0) for number in range(1, 1_000)}
    store.write(entries, 1)
    sweeper, seen = RetentionSweeper(30 * DAY_MS), set[bytes]()
    for _ in range(20):
        seen |= set(sweeper.sweep(0, store, a_decision(), NOW))
    assert seen == set(entries)


def test_duplicates_examine_a_bounded_number() -> None:
    entries = {a_key(number): a_plain_entry(0) for number in range(1, 1_000)}
    duplicates = Decision(clicked_at=[NOW] * 1_000)
    assert 0 < len(forgotten(RetentionSweeper(30 * DAY_MS), entries, duplicates)) < 100


def test_state_stops_growing_with_two_entries_per_click() -> None:
    store = MemoryState().open(0, "changelog")
    batches, clicks = 20, 100
    sweeper, step_ms = RetentionSweeper(DAY_MS), (DAY_MS + LATE_MS) // batches
    needed = batches * 2 * clicks
    for batch in range(10 * batches):
        time_ms = NOW + batch * step_ms
        numbers = range(batch * 2 * clicks, (batch + 1) * 2 * clicks)
        added: dict[bytes, bytes | None] = {
            recipient_digest(b"r-%d" % number) + bytes(8): a_plain_entry(time_ms) for number in numbers
        }
        decision = Decision(clicked_at=[time_ms] * clicks, entries=added)
        expired = dict.fromkeys(sweeper.sweep(0, store, decision, time_ms))
        store.write({**expired, **decision.entries}, batch + 1)
    assert needed <= sum(1 for _ in store.scan(b"")) < 2 * needed


def test_the_newest_click_of_a_batch_is_the_time() -> None:
    entries = {a_key(1): a_plain_entry(NOW - LATE_MS - 2), a_key(2): a_plain_entry(NOW - LATE_MS - 1)}
    decision = Decision(clicked_at=[NOW - DAY_MS, NOW], entries={a_key(0): a_plain_entry(NOW)})

    assert forgotten(RetentionSweeper(1), entries, decision) == {a_key(1)}
