"""The decision about a batch: what a click's life is all about, without Kafka, clock or disk.

Three steps over the whole batch: cut the clicks out of their bytes, recall what the state knows of them in one
look-up, and decide them one after the other, each seeing what those before it brought about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from confluent_kafka import murmur2

from consumer.counts import ClickOutcome
from consumer.decision.candidates import Candidates, Recall, scoped_keys
from consumer.decision.decision import Decision, Rules
from consumer.decision.general import GeneralCase, count_hit, is_expired
from consumer.decision.memory import PLAIN, HitCount, decode_hits, encode_hits
from consumer.decision.plan import LinkPlan, NoPlan, Plans
from consumer.decision.update import make_update
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout
from schemas.click_batch import TEST, ClickBatch, cut_clicks
from schemas.identity import recipient_digest

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
    limit = rules.max_click_bytes
    for row, value in enumerate(values):
        if value is None:
            decision.dead_letters.setdefault(row, BadRecord(Reason.NULL_VALUE, "the record has no value"))
        elif len(value) > limit:
            detail = f"the value has {len(value)} bytes; {limit} are allowed"
            decision.dead_letters.setdefault(row, BadRecord(Reason.TOO_LARGE, detail))
    if decision.dead_letters:
        values = [b"" if row in decision.dead_letters else value for row, value in enumerate(values)]
    batch = cut_clicks(cast("Sequence[bytes]", values), layouts)
    for row, error in batch.bad.items():
        decision.dead_letters.setdefault(row, error)
    return batch


def _choose_plans(
    batch: ClickBatch, partition: int, plans: Plans, rules: Rules, now: int, decision: Decision
) -> Candidates:
    """Settle every click that is no matter for the state, and return the others."""
    candidates = Candidates()
    bad, ready, partitions = decision.dead_letters, plans.ready, rules.partitions
    earliest, latest = rules.earliest_ms, now + rules.max_ahead_ms
    tests = undefined = 0
    columns = zip(batch.link_keys, batch.keys, batch.versions, batch.flags, batch.clicked_at, strict=True)
    for row, (link_key, key, version, flags, clicked_at) in enumerate(columns):
        if bad and row in bad:
            continue
        if not earliest <= clicked_at <= latest:
            bad[row] = BadRecord(Reason.TIME_ABSURD, "clicked_at lies before the year 2000 or in the future")
            continue
        if murmur2(key, partitions) != partition:
            decision.sent_on.append((row, key, murmur2(key, partitions)))
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
        candidates.rows.append(row)
        candidates.plans.append(plan)
        candidates.keys.append(recipient_digest(key) + plan.digest)
    decision.clicks[ClickOutcome.TEST] = tests
    decision.clicks[ClickOutcome.WITHOUT_ACTIONS] = undefined
    return candidates


def _decide_candidates(
    batch: ClickBatch, candidates: Candidates, recall: Recall, rules: Rules, decision: Decision
) -> None:
    """Decide the clicks in their order; the first and the plain duplicate click on a simple link are handled here."""
    hits = _recall_hits(dict.fromkeys(candidates.plans), recall)
    scoped = scoped_keys(candidates, batch)
    general = GeneralCase(batch, decision, rules, dict(zip(scoped, recall(scoped), strict=True)))
    fresh, updates, retention_ms = decision.memory, decision.updates, rules.retention_ms
    flags_of, clicked_at_of = batch.flags, batch.clicked_at
    applied: list[LinkPlan] = []
    duplicates: list[LinkPlan] = []
    columns = zip(candidates.rows, candidates.plans, candidates.keys, recall(candidates.keys), strict=True)
    for row, plan, key, recalled in columns:
        known = fresh.get(key, recalled)
        clicked_at = clicked_at_of[row]
        if retention_ms is not None and known is not None and is_expired(known, clicked_at, retention_ms):
            known = None
        link_hits = count_hit(hits[plan], plan.epoch, first=known is None)
        if not plan.simple:
            general.decide(row, plan, key, known, link_hits)
        elif known is None and flags_of[row] & plan.needs == plan.needs:
            fresh[key] = FIRST + clicked_at.to_bytes(8, "big") + plan.full
            applied.append(plan)
            shared, record_key, recipient_id = batch.shared_bytes(row), batch.keys[row], batch.recipient_id(row)
            for action in plan.actions:
                suffix = cast("bytes", action.suffix)
                updates.append(make_update(action, shared, record_key, recipient_id, b"", suffix))
        elif known is not None and known[9:] == plan.full and known[0] == PLAIN:
            duplicates.append(plan)
        else:
            general.decide(row, plan, key, known, link_hits)
    decision.clicked_at = [clicked_at_of[row] for row in candidates.rows]
    _count(applied, ClickOutcome.APPLIED, decision)
    _count(duplicates, ClickOutcome.DUPLICATE, decision)
    for plan, count in {plan.hits_key: (plan, hits[plan]) for plan in hits}.values():
        fresh[plan.hits_key] = encode_hits(count)
        decision.hits.append((plan, count))


def _recall_hits(plans: Iterable[LinkPlan], recall: Recall) -> dict[LinkPlan, HitCount]:
    """Return the count of each plan's link; the versions of one link share it."""
    plans = list(plans)
    by_key = {plan.hits_key: plan for plan in plans}
    counts = {
        key: HitCount(by_key[key].epoch) if value is None else decode_hits(value)
        for key, value in zip(by_key, recall(list(by_key)), strict=True)
    }
    return {plan: counts[plan.hits_key] for plan in plans}


def _count(plans: Iterable[LinkPlan], outcome: str, decision: Decision) -> None:
    """Count clicks that had the same outcome for every action."""
    for plan, clicks in Counter(plans).items():
        decision.clicks[outcome if plan.actions else ClickOutcome.WITHOUT_ACTIONS] += clicks
        for action in plan.actions:
            decision.actions[action.action.kind.name, outcome] += clicks
