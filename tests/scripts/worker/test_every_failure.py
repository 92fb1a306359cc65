"""Every call of a port fails in every way it can, one run each; effects are always exact."""

from collections import Counter

import pytest

from runtime.errors import FatalKafkaError
from runtime.ports import RetriableError, TransactionAborted
from scripts.sandbox.process import Sandbox
from scripts.worker.loop import ScriptLoop
from tests.loop.failures import SURVIVED, at_call
from tests.loop.script import Crash, Happening, Script, raising
from tests.scripts.worker.environment import NAMES, ScriptEnvironment, an_update

COUNT = 8
BROKEN = {3, 6}
POLLED = 3


def told(sandbox: Sandbox) -> ScriptEnvironment:
    environment = ScriptEnvironment(sandbox)
    environment.define("emit({kind: 'set_field', field: 'a', value: '1'}); returnUrl = linkUrl + '?a';")
    environment.define("throw 1;", script="broken")
    environment.ask(*(an_update(n, script="broken" if n in BROKEN else "greet") for n in range(COUNT)))
    return environment


def go(environment: ScriptEnvironment, script: Script, loop: type[ScriptLoop] = ScriptLoop) -> None:
    """Let workers run, the first with the script, each next one when the last has ended before its time."""
    for each in (script, Script(), Script()):
        try:
            environment.worker(each, max_poll_records=POLLED, loop=loop).run()
        except (Crash, FatalKafkaError, RetriableError):
            environment.expire_all_members()
        else:
            return
    raise AssertionError("three workers one after the other have ended before their time")


def require_exact(environment: ScriptEnvironment) -> None:
    greeted = [n for n in range(COUNT) if n not in BROKEN]
    assert environment.effects() == [(f"r-{n}", "a", "1") for n in greeted]
    assert environment.reasons() == ["thrown"] * len(BROKEN)
    runs = Counter(each["recipient_id"] for each in environment.decoded(NAMES.script_runs, "ScriptRun"))
    assert runs == Counter(f"r-{n}" for n in range(COUNT))
    assert len(environment.records(NAMES.return_urls)) == len(greeted)


def calls_of(sandbox: Sandbox) -> list[str]:
    script = Script()
    environment = told(sandbox)
    go(environment, script)
    require_exact(environment)
    return script.calls


@pytest.mark.parametrize("name", [name for name in SURVIVED if name != "the disk is full"])
def test_failure_at_any_call_keeps_effects_exact(sandbox: Sandbox, name: str) -> None:
    failure, calls = SURVIVED[name], calls_of(sandbox)
    hit = [index for index, call in enumerate(calls) if call in failure.calls]
    assert hit
    for index in hit:
        with at_call(index, calls):
            environment = told(sandbox)
            go(environment, Script({index: failure.happening}))
            require_exact(environment)


def test_crash_at_any_call_keeps_effects_exact(sandbox: Sandbox) -> None:
    calls = calls_of(sandbox)
    for index in range(len(calls)):
        with at_call(index, calls):
            environment = told(sandbox)
            go(environment, Script({index: Happening(before=raising(Crash()))}))
            require_exact(environment)


class CarelessLoop(ScriptLoop):
    """Goes on after an aborted transaction as if it were committed."""

    def _seek_to_committed(self) -> dict[int, None]:
        return {}


def test_loop_that_does_not_ask_for_the_committed_offsets_is_caught(sandbox: Sandbox) -> None:
    commits = Happening(before=raising(TransactionAborted("refused")))
    environment = told(sandbox)
    go(environment, Script.at_every("consumer.commit_transaction", commits, times=1), CarelessLoop)
    with pytest.raises(AssertionError):
        require_exact(environment)
