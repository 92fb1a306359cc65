"""Judges the effects of scripts: runs each script update again with native QuickJS, and shares no code with the worker.

What a script may use here is what both engines have in common: no time, no chance, no return before its end.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import quickjs

from consumer.verify.reader import Seen, decode, decode_update

NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
_PROGRAM = """
(() => {
  'use strict';
  const found = [], emit = (effect) => { found.push(JSON.parse(JSON.stringify(effect))); };
  const {custId, linkId, shipmentId, linkUrl, linkHits, click, parameters} = %s;
  let returnUrl = linkUrl;
  %s
  return JSON.stringify({effects: found, returnUrl});
})()
"""

Record = dict[str, Any]
Effect = tuple[str, str, str, str]
"""update_id, action_id, recipient and the effect's own fields as JSON."""


@dataclass
class Verdict:
    """What is missing, and what is there that should not be, each with its number."""

    missing: Counter[Any] = field(default_factory=Counter)
    surplus: Counter[Any] = field(default_factory=Counter)
    expected: int = 0

    @property
    def is_exact(self) -> bool:
        """True if everything is there exactly once."""
        return not self.missing and not self.surplus

    def __str__(self) -> str:
        return f"{self.expected} effects expected, {self.missing.total()} missing, {self.surplus.total()} too many"


def judge(
    updates: Iterable[Seen], runs: Iterable[Seen], effects: Iterable[Seen], sources: Mapping[tuple[str, int], str]
) -> Verdict:
    """Compare the effects with those of running every update's script; `sources` are by script and version.

    An update whose script throws must have a run record that says so, and no effects. linkHits is taken from the run
    records, which must be one for each update.
    """
    asked = {record["update_id"]: record for record in map(decode_update, updates)}
    ran = [decode("ScriptRun", seen.value) for seen in runs]
    verdict = Verdict()
    _compare(verdict, Counter([*asked]), Counter(run["update_id"] for run in ran))
    expected = [effect for run in ran for effect in _expected(asked[run["update_id"]], run, sources)]
    verdict.expected = len(expected)
    _compare(verdict, Counter(expected), Counter(map(_seen, effects)))
    return verdict


def _compare(verdict: Verdict, expected: Counter[Any], seen: Counter[Any]) -> None:
    verdict.missing += expected - seen
    verdict.surplus += seen - expected


def _expected(update: Record, run: Record, sources: Mapping[tuple[str, int], str]) -> list[Effect]:
    source = sources[update["script"], run["script_version"]]
    names = {
        "custId": update["person_id"],
        "linkId": update["link_id"],
        "shipmentId": update["mailing_id"],
        "linkUrl": update["link_url"],
        "linkHits": run["link_hits"],
        "click": {"recipientId": update["recipient_id"]},
        "parameters": update["parameters"],
    }
    try:
        done = json.loads(quickjs.Context().eval(_PROGRAM % (json.dumps(names), source)))
    except quickjs.JSException:
        return []
    return [_effect(update, position, effect) for position, effect in enumerate(done["effects"])]


def _effect(update: Record, position: int, effect: Record) -> Effect:
    effect_id = effect.pop("id", str(position))
    del effect["kind"]
    return (
        str(uuid5(NAMESPACE, f"{update['update_id']}\x1f{effect_id}")),
        f"{update['action_id']}.{effect_id}",
        update["recipient_id"],
        json.dumps(effect, sort_keys=True),
    )


def _seen(seen: Seen) -> Effect:
    record = decode_update(seen)
    own = {name: record[name] for name in [*record][14:]}
    return record["update_id"], record["action_id"], record["recipient_id"], json.dumps(own, sort_keys=True)
