"""Bugs in what a click means."""

from tests.planted.bug import Edit, PlantedBug

GENERAL = "consumer/decision/slow_path.py"
HITS = "consumer/decision/hits.py"
PLAN = "consumer/decision/plan.py"
REPARTITIONING = "consumer/maintenance/repartition.py"
AGAINST_MODEL = ("tests/decision/test_against_model.py",)

BUGS = (
    PlantedBug(
        "the dedupe key leaves out the epoch",
        (
            Edit(
                PLAN,
                "digest=link_digest(link.tenant_id, link.link_id, link.epoch)",
                "digest=link_digest(link.tenant_id, link.link_id, 0)",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "a cooldown is measured by the time of processing",
        (
            Edit(
                GENERAL,
                "    return clicked_at - entry.last_applied.get(slot, entry.clicked_at) < period_ms",
                "    now = __import__('time').time_ns() // 1_000_000\n"
                "    return now - entry.last_applied.get(slot, entry.clicked_at) < period_ms",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "an action that cannot apply takes a bit in the dedupe entry",
        (
            Edit(
                GENERAL,
                "        if missing := action.need & ~click.flags:\n",
                "        entry.applied |= 1 << slot\n        if missing := action.need & ~click.flags:\n",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "once per mailing forgets the flow's run",
        (
            Edit(
                "consumer/decision/candidates.py",
                "flow_run_id = batch.flow_run_id(row)",
                "flow_run_id = None",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "a mailing and a flow's run share a scope",
        (
            Edit(
                "schemas/identity.py",
                "return SEPARATOR.join((FLOW, flow_id, flow_run_id))",
                "return flow_run_id",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "a blank id counts as a value",
        (
            Edit(
                "schemas/click.py",
                "return not text.strip()",
                "return False",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "the update's id depends on the link's version",
        (
            Edit(
                PLAN,
                "id_prefix=update_id_prefix(link.tenant_id, link.link_id, link.epoch, action.action_id)",
                "id_prefix=update_id_prefix(link.tenant_id, link.link_id, link.version, action.action_id)",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "a click is decided by the newest version instead of the one it names",
        (
            Edit(
                "consumer/loop/plan_cache.py",
                "newest(link_key) if named == NO_VERSION else (named, definitions.version(link_key, named))",
                "newest(link_key)",
            ),
        ),
        ("tests/loop/test_definitions.py", "tests/loop/test_definitions_at_the_edges.py"),
    ),
    PlantedBug(
        "a version that was withdrawn is still the newest",
        (
            Edit(
                "schemas/definition_key.py",
                " for version, value in descending if value is not None)",
                " for version, value in descending)",
            ),
        ),
        ("tests/schemas/test_definition_key.py", "tests/loop/test_definitions_at_the_edges.py"),
    ),
    PlantedBug(
        "clicks from before a reset count as hits of the new epoch",
        (
            Edit(
                "consumer/decision/hits_py.py",
                "        return count if plan.epoch == count.epoch else None",
                "        return count",
            ),
        ),
        AGAINST_MODEL,
    ),
    PlantedBug(
        "an action that needs a confirmation applies without it",
        (
            Edit(
                PLAN,
                "return flag | CONFIRMED if action.guard is Guard.CONFIRM else flag",
                "return flag",
            ),
        ),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "no click is a confirmed one",
        (
            Edit("schemas/click_batch.py", "flags += self.numbers[_CONFIRMED] * CONFIRMED", "flags += 0"),
            Edit("schemas/click.py", "confirmed=bool(fields[12]),", "confirmed=False,"),
        ),
        ("tests/decision/test_against_model.py", "tests/schemas/test_click.py"),
    ),
    PlantedBug(
        "an unconfirmed click takes the slot",
        (
            Edit(
                GENERAL,
                "            return _outcome_without(missing)\n",
                "            if missing & CONFIRMED:\n                entry.applied |= 1 << slot\n"
                "            return _outcome_without(missing)\n",
            ),
        ),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "an unconfirmed click leaves a dedupe entry",
        (Edit(GENERAL, "        if is_remembered:\n", "        if entries:\n"),),
        ("tests/decision/test_decide.py",),
    ),
    PlantedBug(
        "a click that is not confirmed is the first one",
        (Edit(GENERAL, "is_first = known is None and is_remembered and", "is_first = known is None and"),),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "a button pressed on a page counts as a second hit",
        (Edit(HITS, "NO_HIT = PAGE_CLICK | REPLAYED", "NO_HIT = REPLAYED"),),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "a replayed click counts as a hit",
        (Edit(HITS, "NO_HIT = PAGE_CLICK | REPLAYED", "NO_HIT = PAGE_CLICK"),),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "a replayed click counts as a first click",
        (Edit(GENERAL, "is_remembered and not click.is_replayed", "is_remembered"),),
        ("tests/decision/test_decide.py", *AGAINST_MODEL),
    ),
    PlantedBug(
        "a new action gets the slot of one that is gone",
        (
            Edit(
                "consumer/links/history.py",
                "            history.slots[action.action_id] = TakenSlot(action.slot, action.kind.name)",
                "            history.slots = {a.action_id: TakenSlot(a.slot, a.kind.name) for a in link.actions}",
            ),
        ),
        ("tests/links/test_versioning.py", "tests/links/test_publishing.py"),
    ),
    PlantedBug(
        "the entry of the largest hash is kept under the smallest",
        (
            Edit(
                "schemas/identity.py",
                "    return int(murmur2(key, MAX_KEY_HASH)) or MAX_KEY_HASH * int(murmur2(key, 2))",
                "    return int(murmur2(key, MAX_KEY_HASH))",
            ),
        ),
        ("tests/schemas/test_identity.py",),
    ),
    PlantedBug(
        "a number is one byte short at the border to the next length",
        (Edit("schemas/codec.py", "    if rest < 0x4000:\n", "    if rest < 0x4001:\n"),),
        ("tests/schemas/test_codec.py",),
    ),
    PlantedBug(
        "the clicks get more partitions before changelog and updates have them",
        (Edit(REPARTITIONING, "key=lambda name: name == self._names", "key=lambda name: name != self._names"),),
        ("tests/maintenance/test_repartition.py",),
    ),
    PlantedBug(
        "a time loses a millisecond on its way from ISO 8601",
        (
            Edit(
                "consumer/inspect/ndjson.py",
                "(time - _EPOCH) // timedelta(milliseconds=1)",
                "int(time.timestamp() * 1000)",
            ),
        ),
        ("tests/cli/test_click_lines.py",),
    ),
    PlantedBug(
        "clicks of a schema that has just been learned of become dead letters",
        (
            Edit(
                "consumer/loop/batch_decider.py",
                "decision.has(Reason.UNKNOWN_SCHEMA) and self._learn_layouts()",
                "decision.has(Reason.UNKNOWN_SCHEMA) and not self._learn_layouts()",
            ),
        ),
        ("tests/loop/test_batch_decider.py",),
    ),
)
