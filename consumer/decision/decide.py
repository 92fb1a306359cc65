"""The decision about a batch: what a click's life is all about, without Kafka, clock or disk.

Three steps over the whole batch: cut the clicks out of their bytes, recall what the state knows of them in one
look-up, and decide them one after the other, each seeing what those before it brought about.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from hashlib import blake2b, sha1
from typing import cast

from confluent_kafka import murmur2

from consumer.decision.candidates import Candidates, Recall, scoped_keys
from consumer.decision.decision import Decision, Rules
from consumer.decision.general import GeneralCase, is_expired
from consumer.decision.hits import Hits
from consumer.decision.memory import PLAIN, encode_hits
from consumer.decision.plan import LinkPlan, NoPlan, Plans
from consumer.decision.update import UPDATE_ID_LENGTH
from consumer.loop.counts import ClickOutcome
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout
from schemas.click_batch import TEST, ClickBatch, cut_clicks
from schemas.identity import PLACE_BYTES, PLACES, RECIPIENT_DIGEST_BYTES, SEPARATOR, VARIANT

FIRST = PLAIN.to_bytes(1, "big")


def decide(
    values: Sequence[bytes | None],
    partition: int,
    *,
    layouts: Mapping[bytes, ClickLayout],
    plans: Plans,
    recall: Recall,
    rules: Rules,
    now: int,
    condemned: Mapping[int, BadRecord] | None = None,
) -> Decision:
    """Decide the records of one partition, in their order.

    `layouts` are the frames that may stand before a click; `recall` looks keys up in the partition's state; `now`, in
    milliseconds since 1970 UTC, only tells absurd times; `condemned` rows are dead letters whatever they hold.
    """
    decision = Decision(dead_letters=dict(condemned or {}))
    batch = _cut(values, layouts, rules, decision)
    candidates = _choose_plans(batch, partition, plans, rules, now, decision)
    if candidates.rows:
        _decide_candidates(batch, candidates, recall, rules, decision)
    decision.clicks[ClickOutcome.DEAD_LETTERED] = len(decision.dead_letters)
    decision.clicks[ClickOutcome.SENT_ON] = len(decision.sent_on)
    return decision


def _cut(
    values: Sequence[bytes | None], layouts: Mapping[bytes, ClickLayout], rules: Rules, decision: Decision
) -> ClickBatch:
    bad = decision.dead_letters
    if bad:
        values = _emptied(values, bad)
    # `or b""` in the rows would cost more than this look at the whole: hardly any batch has such records.
    if None in values or max(map(len, cast("Sequence[bytes]", values)), default=0) > rules.max_click_bytes:
        _condemn_absent_and_large(values, rules.max_click_bytes, bad)
        values = _emptied(values, bad)
    batch = cut_clicks(cast("Sequence[bytes]", values), layouts)
    for row, error in batch.bad.items():
        bad.setdefault(row, error)
    return batch


def _emptied(values: Sequence[bytes | None], rows: Container[int]) -> list[bytes | None]:
    """Return the values with nothing in these rows, so that nobody looks into what is condemned."""
    return [b"" if row in rows else value for row, value in enumerate(values)]


def _condemn_absent_and_large(values: Sequence[bytes | None], limit: int, bad: dict[int, BadRecord]) -> None:
    for row, value in enumerate(values):
        if value is None:
            bad.setdefault(row, BadRecord(Reason.NULL_VALUE, "the record has no value"))
        elif len(value) > limit:
            detail = f"the value has {len(value)} bytes; {limit} are allowed"
            bad.setdefault(row, BadRecord(Reason.TOO_LARGE, detail))


def _choose_plans(
    batch: ClickBatch, partition: int, plans: Plans, rules: Rules, now: int, decision: Decision
) -> Candidates:
    """Settle every click that is no matter for the state, and return the others."""
    rows: list[int] = []
    chosen: list[LinkPlan] = []
    keys: list[bytes] = []
    bad, ready, partitions = decision.dead_letters, plans.ready, rules.partitions
    _condemn_absurd_times(batch, rules, now, bad)
    tests = undefined = 0
    columns = zip(batch.link_keys, batch.keys, batch.versions, batch.flags, strict=True)
    for row, (link_key, key, version, flags) in enumerate(columns):
        if bad and row in bad:
            continue
        place = murmur2(key, PLACES) or PLACES * murmur2(key, 2)
        if place % partitions != partition:
            decision.sent_on.append((row, key, place % partitions))
            continue
        if flags & TEST:
            tests += 1
            continue
        try:
            plan = ready[link_key, version]
        except KeyError:
            try:
                plan = plans.find(link_key, version)
            except NoPlan as error:
                bad[row] = BadRecord(error.reason, str(error))
                continue
        if plan is None:
            undefined += 1
            continue
        rows.append(row)
        chosen.append(plan)
        # recipient_digest, spelt out: a call would cost a quarter of what the digest does.
        digest = blake2b(key, digest_size=RECIPIENT_DIGEST_BYTES).digest()
        keys.append(digest + place.to_bytes(PLACE_BYTES, "big") + plan.digest)
    decision.clicks[ClickOutcome.TEST] = tests
    decision.clicks[ClickOutcome.WITHOUT_ACTIONS] = undefined
    return Candidates(rows, chosen, keys)


def _condemn_absurd_times(batch: ClickBatch, rules: Rules, now: int, bad: dict[int, BadRecord]) -> None:
    earliest, latest = rules.earliest_ms, now + rules.max_ahead_ms
    if min(batch.clicked_at, default=now) >= earliest and max(batch.clicked_at, default=now) <= latest:
        return
    for row, clicked_at in enumerate(batch.clicked_at):
        if not earliest <= clicked_at <= latest:
            absurd = BadRecord(Reason.TIME_ABSURD, "clicked_at lies before the year 2000 or in the future")
            bad.setdefault(row, absurd)


def _decide_candidates(
    batch: ClickBatch, candidates: Candidates, recall: Recall, rules: Rules, decision: Decision
) -> None:
    """Decide the clicks in their order; the first and the plain duplicate click on a simple link are handled here."""
    hits = Hits(candidates.plans, recall)
    scoped = scoped_keys(candidates, batch)
    general = GeneralCase(batch, decision, rules, dict(zip(scoped, recall(scoped), strict=True)))
    fresh, retention_ms = decision.memory, rules.retention_ms
    add_update = decision.updates.append
    flags_of, clicked_at_of, key_of, shared_of = batch.flags, batch.clicked_at, batch.keys, batch.shared
    in_turn = hits.in_turn
    applied: list[LinkPlan] = []
    duplicates: list[LinkPlan] = []
    columns = zip(candidates.rows, candidates.plans, candidates.keys, recall(candidates.keys), strict=True)
    for row, plan, key, recalled in columns:
        known = fresh.get(key, recalled)
        if retention_ms is not None and known is not None and is_expired(known, clicked_at_of[row], retention_ms):
            known = None
        if plan in in_turn:
            general.decide(row, plan, key, known, hits.count(plan, first=known is None))
        elif known is None and flags_of[row] & plan.needs == plan.needs:
            fresh[key] = FIRST + clicked_at_of[row].to_bytes(8, "big") + plan.full
            applied.append(plan)
            shared, record_key = shared_of[row], key_of[row]
            recipient_id = record_key[plan.recipient_start :]
            for action in plan.actions:
                # make_update, spelt out for the empty scope: two calls would cost a third of the work they do.
                digest = sha1(action.id_prefix + recipient_id + SEPARATOR, usedforsecurity=False).hexdigest()
                identifier = (
                    f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
                ).encode()
                value = action.frame + shared + UPDATE_ID_LENGTH + identifier + action.suffix  # type: ignore[operator]
                add_update((action.topic, value, record_key, [*action.headers, ("ce_id", identifier)]))
        elif known is not None and known[9:] == plan.full and known[0] == PLAIN:
            duplicates.append(plan)
        else:
            general.decide(row, plan, key, known, hits.count(plan, first=known is None))
    decision.clicked_at = [clicked_at_of[row] for row in candidates.rows]
    hits.add(_count(applied, ClickOutcome.APPLIED, decision), first=True)
    hits.add(_count(duplicates, ClickOutcome.DUPLICATE, decision), first=False)
    decision.hits = hits.changed()
    fresh.update((plan.hits_key, encode_hits(count)) for plan, count in decision.hits)


def _count(plans: Iterable[LinkPlan], outcome: str, decision: Decision) -> Counter[LinkPlan]:
    """Count clicks that had the same outcome for every action; return how many each plan had."""
    counts = Counter(plans)
    for plan, clicks in counts.items():
        decision.clicks[outcome if plan.actions else ClickOutcome.WITHOUT_ACTIONS] += clicks
        for action in plan.actions:
            decision.actions[action.action.kind.name, outcome] += clicks
    return counts
