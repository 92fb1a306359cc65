"""The core in Python and numpy: the reference implementation of `consumer.decision.core_c`."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from hashlib import blake2b, sha1

from consumer.changelog.entries import PLAIN
from consumer.decision.candidates import Candidates, LookUp
from consumer.decision.core import DecideOnSlowPath, Settled
from consumer.decision.decision import DecisionDraft
from consumer.decision.hits import NO_HIT
from consumer.decision.hits_py import Hits
from consumer.decision.outcome import ClickOutcome
from consumer.decision.plan import LinkPlan, Plans, find_plan
from consumer.decision.slow_path import is_expired
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout
from schemas.click_batch import TEST, parse_clicks
from schemas.identity import (
    KEY_HASH_BYTES,
    MAX_KEY_HASH,
    RECIPIENT_DIGEST_BYTES,
    SEPARATOR,
    UPDATE_ID_LENGTH,
    VARIANT,
    murmur2,
)

FIRST = PLAIN.to_bytes(1, "big")


class Core:
    """The core over the values of one batch. Implements `consumer.decision.core.Core`."""

    def __init__(self, values: Sequence[bytes], layouts: Mapping[bytes, ClickLayout]) -> None:
        self.clicks = parse_clicks(values, layouts)

    @property
    def bad(self) -> Mapping[int, BadRecord]:
        """The records that are not valid clicks, by row."""
        return self.clicks.bad

    def rows_outside(self, earliest: int, latest: int) -> Sequence[int]:
        """Return the rows of the clicks made before `earliest` or after `latest`."""
        times = self.clicks.clicked_at
        if earliest <= min(times, default=earliest) and max(times, default=latest) <= latest:
            return ()
        return [row for row, clicked_at in enumerate(times) if not earliest <= clicked_at <= latest]

    def choose(self, partition: int, partitions: int, plans: Plans, decision: DecisionDraft) -> Candidates:
        """Settle the clicks that need no look-up in the state, and return the others."""
        rows: list[int] = []
        chosen: list[LinkPlan] = []
        keys: list[bytes] = []
        times: list[int] = []
        clicks, bad, ready = self.clicks, decision.dead_letters, plans.ready
        tests = undefined = 0
        columns = zip(clicks.link_keys, clicks.keys, clicks.versions, clicks.flags, strict=True)
        for row, (link_key, key, version, flags) in enumerate(columns):
            if bad and row in bad:
                continue
            # `key_hash`, inlined like recipient_digest below: calls would add a quarter to their cost.
            key_hash = murmur2(key, MAX_KEY_HASH) or MAX_KEY_HASH * murmur2(key, 2)
            if key_hash % partitions != partition:
                decision.rerouted.append((row, key, key_hash % partitions))
                continue
            if flags & TEST:
                tests += 1
                continue
            try:
                plan = ready[link_key, version]
            except KeyError:
                found = find_plan(plans, link_key, version)
                if isinstance(found, BadRecord):
                    bad[row] = found
                    continue
                plan = found
            if plan is None:
                undefined += 1
                continue
            rows.append(row)
            chosen.append(plan)
            digest = blake2b(key, digest_size=RECIPIENT_DIGEST_BYTES).digest()
            keys.append(digest + key_hash.to_bytes(KEY_HASH_BYTES, "big") + plan.digest)
            times.append(clicks.clicked_at[row])
        decision.clicks[ClickOutcome.TEST] = tests
        decision.clicks[ClickOutcome.WITHOUT_ACTIONS] = decision.undefined = undefined
        return Candidates(rows, chosen, keys, times, list(dict.fromkeys(chosen)))

    def count_hits(self, links: Sequence[LinkPlan], look_up: LookUp) -> Hits:
        """Look up the click counts of these links, each given once."""
        return Hits(links, look_up)

    def decide(
        self,
        candidates: Candidates,
        found: Sequence[bytes | None],
        decision: DecisionDraft,
        *,
        sequential: Container[LinkPlan],
        retention_ms: int | None,
        slow_path: DecideOnSlowPath,
    ) -> Settled:
        """Decide the candidates in order: the common clicks on simple links here, the rest on the slow path."""
        fresh, clicks, add_update = decision.entries, self.clicks, decision.updates.append
        flags_of, key_of, shared_of = clicks.flags, clicks.keys, clicks.shared
        applied: list[LinkPlan] = []
        duplicates: list[LinkPlan] = []
        columns = zip(candidates.rows, candidates.plans, candidates.keys, candidates.times, found, strict=True)
        for row, plan, key, clicked_at, remembered in columns:
            known = fresh.get(key, remembered)
            if retention_ms is not None and known is not None and is_expired(known, clicked_at, retention_ms):
                known = None
            flags = flags_of[row]
            if plan in sequential or flags & NO_HIT:
                slow_path(row, plan, key, known)
            elif known is None and flags & plan.needs == plan.needs:
                fresh[key] = FIRST + clicked_at.to_bytes(8, "big") + plan.full
                applied.append(plan)
                shared, record_key = shared_of[row], key_of[row]
                recipient_id = record_key[plan.recipient_start :]
                for action in plan.actions:
                    # make_update, inlined for the empty scope: two calls would add a third to its cost.
                    digest = sha1(action.id_prefix + recipient_id + SEPARATOR, usedforsecurity=False).hexdigest()
                    identifier = (
                        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-"
                        f"{VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
                    ).encode()
                    value = action.frame + shared + UPDATE_ID_LENGTH + identifier + action.suffix  # type: ignore[operator]
                    add_update((action.topic, value, record_key, [*action.headers, ("ce_id", identifier)]))
            elif known is not None and known[9:] == plan.full and known[0] == PLAIN:
                duplicates.append(plan)
            else:
                slow_path(row, plan, key, known)
        return Counter(applied), Counter(duplicates)
