"""Hostile scripts, how each ends, and a harmless one to run after each: `make hostile-scripts` prints the table."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.sandbox.host import Host
from scripts.sandbox.instance import CannotCompile, Instance
from scripts.sandbox.run import FailureReason, Outcome, ScriptResult, ScriptRun

NOON = 1_763_633_100_000
MAX_CPU_SECONDS = 0.1
NAMES: dict[str, Any] = {
    "custId": "4711",
    "linkId": "spring-offer",
    "shipmentId": "m-17",
    "linkUrl": "https://www.example.com/spring",
    "linkHits": 42,
    "click": {"recipientId": "r-1"},
    "parameters": {"size": "L"},
}
TYPICAL = """
if (linkHits >= 10 && /spring/.test(linkId)) emit({kind: "interest", operation: "add", interest: "popular"});
emit({kind: "set_field", field: "last_link", value: `${linkId}:${shipmentId}`});
for (const [name, hits] of Object.entries({gold: 40, silver: 20, bronze: 5})) {
  if (linkHits <= hits) continue;
  emit({kind: "membership", operation: "add", target: "crm_selection", target_id: name});
  break;
}
returnUrl = linkUrl + "?c=" + encodeURIComponent(shipmentId ?? "");
"""

FUEL, MEMORY, STACK = FailureReason.OUT_OF_FUEL, FailureReason.OUT_OF_MEMORY, FailureReason.STACK
THROWN, OUTPUT = FailureReason.THROWN, FailureReason.OUTPUT_TOO_LARGE
SCRIPTS: dict[str, tuple[str, FailureReason | None]] = {
    "endless loop": ("while (true) {}", FUEL),
    "loop that catches": ("for (;;) { try { for (;;) {} } catch {} }", FUEL),
    "memory": ("const a = []; for (;;) a.push(new Array(10000).fill(1.5));", FUEL),
    "memory at once": ("const a = []; for (;;) a.push(new Uint8Array(1 << 20));", MEMORY),
    "memory that catches": (
        "const a = []; for (;;) { try { for (;;) a.push('x'.repeat(100000) + a.length); } catch {} }",
        FUEL,
    ),
    "growing text": ("let s = 'xxxxxxxx'; for (;;) s += s;", THROWN),
    "recursion": ("function f(n) { return 1 + f(n + 1); } f(0);", STACK),
    "deep object": ("let o = {}; for (let i = 0; i < 200000; i++) o = {o}; emit(o);", FUEL),
    "regular expression": ("/^(a+)+$/.test('a'.repeat(40) + '!');", FUEL),
    "large number": ("let x = 3n; for (let i = 0; i < 30; i++) x = x * x;", FUEL),
    "sorting millions": ("new Array(3e6).fill(0).map((_, i) => (i * 7919) % 3000017).sort((a, b) => b - a);", FUEL),
    "search in one call": ("('a'.repeat(400000) + 'b').indexOf('a'.repeat(200000) + 'c');", FUEL),
    "scan in one call": ("Array.prototype.indexOf.call({length: 4294967295}, 99);", FUEL),
    "join in one call": ("(new Array(1_000_000_000) + '').length;", FUEL),
    "large effect": ("emit({kind: 'set_field', value: 'x'.repeat(70000)});", OUTPUT),
    "many effects": ("for (let i = 0; i < 21; i++) try { emit({i}); } catch {}", OUTPUT),
    "endless proxy": ("emit(new Proxy({}, {ownKeys() { for (;;); }}));", FUEL),
    "poisoned prototypes": (
        """Object.prototype.toJSON = () => 'x'; Array.prototype.push = null; JSON.stringify = null;
        Array.prototype[Symbol.iterator] = null; String.prototype.substring = null; Promise = null;""",
        None,
    ),
    "code from text": ("globalThis.constructor.constructor('return 1')();", THROWN),
    "what is not there": (
        """console.log(typeof require, typeof process, typeof fetch, typeof std, typeof os, typeof Deno, typeof eval,
        typeof WebAssembly, typeof setTimeout, typeof SharedArrayBuffer, typeof performance);""",
        None,
    ),
    "log without end": ("for (;;) console.log('x'.repeat(1000));", FUEL),
    "nested source": ("(" * 20_000, STACK),
}


@dataclass(frozen=True)
class Trial:
    """How a hostile script ended, and whether the harmless one still gives the same after it."""

    outcome: Outcome
    cpu_seconds: float
    is_next_the_same: bool

    @property
    def reason(self) -> FailureReason | None:
        """Why it failed; None if it did not."""
        return None if isinstance(self.outcome, ScriptResult) else self.outcome.reason


class Trials:
    """Runs hostile scripts beside a harmless one."""

    def __init__(self, cache: Path | None = None) -> None:
        self._host = Host(cache)
        self._harmless = Instance(self._host, TYPICAL)
        self.expected = self._harmless.run(a_run(TYPICAL))

    def run(self, source: str) -> Trial:
        """Run one, and the harmless one after it."""
        begun = time.process_time()
        try:
            outcome = Instance(self._host, source).run(a_run(source))
        except CannotCompile as error:
            outcome = error.failure
        cpu_seconds = time.process_time() - begun
        return Trial(outcome, cpu_seconds, self._harmless.run(a_run(TYPICAL)) == self.expected)


def a_run(source: str, **changes: Any) -> ScriptRun:
    """A run with the usual names."""
    return replace(ScriptRun(source, "u-1", NOON, NAMES), **changes)


def main() -> None:
    """Print what happened, as a table."""
    trials = Trials()
    print(f"{'script':<22}{'ended by':<18}{'CPU ms':>7}{'fuel':>13}  next run the same")  # noqa: T201
    for name, (source, _) in SCRIPTS.items():
        trial = trials.run(source)
        ended, fuel = trial.reason or "its end", trial.outcome.fuel_used
        same = "yes" if trial.is_next_the_same else "NO"
        print(f"{name:<22}{ended:<18}{1_000 * trial.cpu_seconds:>7.1f}{fuel:>13,}  {same}")  # noqa: T201


if __name__ == "__main__":
    main()
