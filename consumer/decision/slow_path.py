"""Decides the clicks that the core does not.

They need repeat rules or texts about the click, or have an unknown person or a link that is applied in part.
"""

from collections.abc import Mapping

from actions.kind import ClickFacts
from actions.repeat import RepeatRule
from consumer.changelog.entries import ONE_CLICK, PLAIN, DedupeEntry, decode_entry, encode_entry, newest_time
from consumer.decision.candidates import Clicks, mailing_scope
from consumer.decision.decision import DecisionDraft, Rules
from consumer.decision.hits import NO_HIT, Hits
from consumer.decision.outcome import ActionOutcome, ClickOutcome
from consumer.decision.plan import ActionPlan, LinkPlan
from consumer.decision.update import make_update
from schemas.click_batch import COMPANY, CONFIRMED, REPLAYED
from schemas.identity import click_digest, scope_digest


def is_expired(known: bytes, clicked_at: int, retention_ms: int) -> bool:
    """Return whether an entry has expired at the time of this click."""
    return clicked_at - newest_time(known) > retention_ms


class SlowPath:
    """Decides clicks one by one, action by action, in the order of the link's definition."""

    def __init__(
        self,
        batch: Clicks,
        decision: DecisionDraft,
        rules: Rules,
        *,
        scoped: Mapping[bytes, bytes | None],
        hits: Hits,
    ) -> None:
        """`scoped` has the state's entries under the batch's `scoped_keys`; `hits` counts the clicks."""
        self._batch = batch
        self._decision = decision
        self._rules = rules
        self._scoped = scoped
        self._hits = hits

    def decide(self, row: int, plan: LinkPlan, key: bytes, known: bytes | None) -> None:
        """Decide and count the click in this row; `known` is its dedupe entry, None at the first click."""
        click = _Click(self._batch, row)
        is_remembered = click.is_confirmed or not plan.only_confirmed
        is_first = known is None and is_remembered and not click.is_replayed
        link_hits = self._hits.count(plan, hit=click.is_hit, first=is_first)
        entries = _Entries(self, key, known, click)
        outcomes = [self._act(action, entries, click, link_hits) for action in plan.actions]
        for action, outcome in zip(plan.actions, outcomes, strict=True):
            self._decision.actions[action.action.kind.name, outcome] += 1
        self._decision.clicks[_click_outcome(outcomes)] += 1
        if is_remembered:
            self._decision.entries.update(entries.changed())

    def look_up_scoped(self, key: bytes, clicked_at: int) -> bytes | None:
        """Return the dedupe entry of one scope, unless it has expired."""
        known = self._decision.entries.get(key, self._scoped.get(key))
        retention_ms = self._rules.retention_ms
        if known is not None and retention_ms is not None and is_expired(known, clicked_at, retention_ms):
            return None
        return known

    def _act(self, action: ActionPlan, entries: "_Entries", click: "_Click", link_hits: int) -> ActionOutcome:
        rule, slot = action.action.repeat.rule, action.action.slot
        scope = click.scope(rule)
        entry_scope = b"" if rule is RepeatRule.COOLDOWN else scope
        entry = entries.entry(entry_scope, rule)
        if rule is RepeatRule.COOLDOWN:
            duplicate = _is_cooling_down(entry, slot, action.action.repeat.period_ms or 0, click.clicked_at)
        else:
            duplicate = bool(entry.applied >> slot & 1)
        if duplicate:
            return ActionOutcome.DUPLICATE
        if missing := action.need & ~click.flags:
            return _outcome_without(missing)
        entry.applied |= 1 << slot
        # A later version of the link may give the action a cooldown, and an entry expires by its newest time, so the
        # time matters under other rules too; it is stored only if it differs from the entry's own time.
        of_one_click = entry_scope and rule is RepeatRule.ALWAYS
        if not of_one_click and (slot in entry.last_applied or click.clicked_at != entry.clicked_at):
            entry.last_applied[slot] = click.clicked_at
        suffix = action.encode_suffix(click.facts(link_hits)) if action.suffix is None else action.suffix
        update = make_update(action, click.shared, click.key, click.recipient_id, scope, suffix)
        self._decision.updates.append(update)
        return ActionOutcome.APPLIED


class _Click:
    """One click of the batch, as its actions see it."""

    def __init__(self, batch: Clicks, row: int) -> None:
        self._batch, self._row = batch, row
        self.key, self.shared, self.recipient_id, self.flags, self.clicked_at = batch.facts(row)
        self.is_hit, self.is_replayed = not self.flags & NO_HIT, bool(self.flags & REPLAYED)
        self.is_confirmed = bool(self.flags & CONFIRMED)

    def scope(self, rule: RepeatRule) -> bytes:
        """Return the scope of the update id: the action applies at most once in it."""
        if rule is RepeatRule.ONCE:
            return b""
        if rule is RepeatRule.ONCE_PER_MAILING:
            return mailing_scope(self._batch, self._row)
        return self._batch.click_id(self._row)

    def facts(self, link_hits: int) -> ClickFacts:
        """Return the facts about the click that texts and scripts may use."""
        mailing_id, flow_id = self._batch.mailing_id(self._row), self._batch.flow_id(self._row)
        return ClickFacts(
            mailing_id=None if mailing_id is None else mailing_id.decode(),
            flow_id=None if flow_id is None else flow_id.decode(),
            clicked_at=self.clicked_at,
            link_hits=link_hits,
        )


class _Entries:
    """The dedupe entries that one click reads and changes, by scope."""

    def __init__(self, slow_path: SlowPath, key: bytes, known: bytes | None, click: _Click) -> None:
        self._slow_path, self._key, self._click = slow_path, key, click
        base = DedupeEntry(click.clicked_at) if known is None else decode_entry(known)
        self._known = {key: known}
        self._entries: dict[bytes, tuple[DedupeEntry, int]] = {key: (base, PLAIN)}

    def entry(self, scope: bytes, rule: RepeatRule) -> DedupeEntry:
        """Return the dedupe entry of the scope, for changes in place."""
        digest = click_digest if rule is RepeatRule.ALWAYS else scope_digest
        key = self._key + digest(scope) if scope else self._key
        if key not in self._entries:
            known = self._known[key] = self._slow_path.look_up_scoped(key, self._click.clicked_at)
            entry = DedupeEntry(self._click.clicked_at) if known is None else decode_entry(known)
            self._entries[key] = entry, ONE_CLICK if rule is RepeatRule.ALWAYS else PLAIN
        return self._entries[key][0]

    def changed(self) -> dict[bytes, bytes]:
        """Return the entries to store. The first click always stores one, a scope only if an action was applied."""
        encoded = {key: encode_entry(entry, form) for key, (entry, form) in self._entries.items()}
        return {
            key: value
            for key, value in encoded.items()
            if value != self._known[key] and (key == self._key or self._entries[key][0].applied)
        }


def _outcome_without(missing: int) -> ActionOutcome:
    """Return the outcome of an action that needs these flags, which the click does not have."""
    if missing & CONFIRMED:
        return ActionOutcome.NOT_CONFIRMED
    return ActionOutcome.NO_COMPANY if missing & COMPANY else ActionOutcome.NO_PERSON


def _is_cooling_down(entry: DedupeEntry, slot: int, period_ms: int, clicked_at: int) -> bool:
    if not entry.applied >> slot & 1:
        return False
    return clicked_at - entry.last_applied.get(slot, entry.clicked_at) < period_ms


def _click_outcome(outcomes: list[ActionOutcome]) -> ClickOutcome:
    """Return the outcome of the click: applied if any action was, otherwise duplicate if any was."""
    if ActionOutcome.APPLIED in outcomes:
        return ClickOutcome.APPLIED
    if ActionOutcome.DUPLICATE in outcomes:
        return ClickOutcome.DUPLICATE
    return ClickOutcome.NOT_APPLICABLE if outcomes else ClickOutcome.WITHOUT_ACTIONS
