"""The sandbox: what a script sees, what stops it, and that a run depends on its input alone."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.sandbox.child import MAX_INSTANCES
from scripts.sandbox.guest import WrongGuest, load_guest, open_engine
from scripts.sandbox.jail import standing_walls
from scripts.sandbox.process import Sandbox, SandboxFailed
from scripts.sandbox.run import (
    MAX_LOG_CHARACTERS,
    MAX_SOURCE_BYTES,
    FailureReason,
    Outcome,
    ScriptFailure,
    ScriptResult,
)
from tests.scripts.escape import DEEDS
from tests.scripts.hostile import MAX_CPU_SECONDS, NAMES, SCRIPTS, TYPICAL, Trials, a_run
from tests.support.patience import stretched


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guest")


@pytest.fixture(scope="module")
def sandbox(cache: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(cache)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def trials(cache: Path) -> Trials:
    return Trials(cache)


def program(module: str, argument: str) -> tuple[str, ...]:
    """Return the command that runs `main` of a module of these tests, isolated as the sandbox is."""
    path, arguments = str(Path(__file__).parents[2]), ["", *filter(None, [argument])]
    code = f"import sys; sys.path.insert(0, {path!r}); sys.argv = {arguments!r} + sys.argv[1:]"
    return sys.executable, "-I", "-c", f"{code}; from tests.scripts.{module} import main; main()"


def result(sandbox: Sandbox, source: str, **changes: Any) -> ScriptResult:
    (outcome,) = sandbox.run([a_run(source, **changes)])
    assert isinstance(outcome, ScriptResult), outcome
    return outcome


def failure(sandbox: Sandbox, source: str, **changes: Any) -> ScriptFailure:
    (outcome,) = sandbox.run([a_run(source, **changes)])
    assert isinstance(outcome, ScriptFailure), outcome
    return outcome


class TestNames:
    def test_effects_and_return_url(self, sandbox: Sandbox) -> None:
        done = result(sandbox, TYPICAL)
        assert done.effects == (
            {"kind": "interest", "operation": "add", "interest": "popular"},
            {"kind": "set_field", "field": "last_link", "value": "spring-offer:m-17"},
            {"kind": "membership", "operation": "add", "target": "crm_selection", "target_id": "gold"},
        )
        assert done.return_url == "https://www.example.com/spring?c=m-17"

    @pytest.mark.parametrize("name", ["custId", "linkId", "shipmentId", "linkUrl", "linkHits", "click", "parameters"])
    def test_names_are_the_seeds_and_read_only(self, sandbox: Sandbox, name: str) -> None:
        assert result(sandbox, f"console.log(JSON.stringify({name}))").log == _as_json(NAMES[name])
        assert f"'{name}' is read-only" in failure(sandbox, f"{name} = 1").message

    def test_objects_are_frozen(self, sandbox: Sandbox) -> None:
        assert "read-only" in failure(sandbox, "click.recipientId = 'other'").message

    def test_return_url_is_the_links_unless_set(self, sandbox: Sandbox) -> None:
        assert result(sandbox, "").return_url == NAMES["linkUrl"]
        assert result(sandbox, "returnUrl = 'https://b.example/'; return;").return_url == "https://b.example/"

    def test_unknown_values_are_null(self, sandbox: Sandbox) -> None:
        names = {**NAMES, "custId": None, "linkUrl": None}
        done = result(sandbox, "console.log(custId, linkUrl)", names=names)
        assert (done.log, done.return_url) == ("null null\n", None)

    def test_emit_takes_objects(self, sandbox: Sandbox) -> None:
        assert "emit takes an object" in failure(sandbox, "emit('set_field')").message

    def test_log_is_cut(self, sandbox: Sandbox) -> None:
        done = result(sandbox, "for (let i = 0; i < 100; i++) console.log('é'.repeat(100))")
        assert len(done.log) == MAX_LOG_CHARACTERS


class TestPurity:
    def test_date_is_the_clicks_time(self, sandbox: Sandbox) -> None:
        source = "for (let i = 0; i < 1e5; i++); console.log(Date.now(), new Date().toISOString())"
        assert result(sandbox, source).log == "1763633100000 2025-11-20T10:05:00.000Z\n"

    def test_chance_depends_on_the_seed(self, sandbox: Sandbox) -> None:
        source = "console.log(Math.random(), Math.random())"
        first, other, again = (result(sandbox, source, seed=seed).log for seed in ("a", "b", "a"))
        assert first == again != other
        assert len(set(first.split())) == 2

    def test_run_leaves_nothing_behind(self, sandbox: Sandbox) -> None:
        source = "globalThis.n = (globalThis.n ?? 0) + 1; Array.prototype.n = 1; console.log(globalThis.n, [].n)"
        assert {result(sandbox, source).log for _ in range(3)} == {"1 1\n"}

    def test_thousand_runs_in_three_processes_give_the_same_bytes_and_fuel(self, cache: Path) -> None:
        digests, count = set(), 0
        runs = [a_run(source) for _ in range(56) for source in (TYPICAL, "throw new Error(Math.random())")]
        runs += [a_run(SCRIPTS["memory"][0]), a_run(SCRIPTS["growing text"][0])]
        for _ in range(3):
            sandbox = Sandbox(cache)
            try:
                outcomes = [outcome for _ in range(3) for outcome in sandbox.run(runs)]
            finally:
                sandbox.close()
            first = outcomes[: len(runs)]
            assert outcomes == first * 3
            count += len(outcomes)
            digests.add(hashlib.sha256(repr(outcomes).encode()).hexdigest())
        assert count >= 1_000
        assert len(digests) == 1


class TestLimits:
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_hostile_script_ends_soon_and_harms_no_other(self, trials: Trials, name: str) -> None:
        source, reason = SCRIPTS[name]
        trial = trials.run(source)
        assert trial.reason == reason, trial.outcome
        assert trial.cpu_seconds <= stretched(MAX_CPU_SECONDS)
        assert trial.is_next_the_same

    def test_fuel_is_that_of_the_run(self, sandbox: Sandbox) -> None:
        loop = "for (let i = 0; i < 1e5; i++);"
        used = result(sandbox, loop).fuel_used
        assert failure(sandbox, loop, fuel=used // 2).reason is FailureReason.OUT_OF_FUEL
        assert result(sandbox, loop, fuel=2 * used).fuel_used == used

    def test_source_is_bounded(self, sandbox: Sandbox) -> None:
        assert failure(sandbox, " " * (MAX_SOURCE_BYTES + 1)).reason is FailureReason.SYNTAX
        assert result(sandbox, "/*" + "x" * (MAX_SOURCE_BYTES - 4) + "*/").effects == ()

    def test_many_scripts_take_turns(self, sandbox: Sandbox) -> None:
        runs = [a_run(f"console.log({number})") for number in range(MAX_INSTANCES + 5)] * 2
        assert [_log(outcome) for outcome in sandbox.run(runs)] == [f"{n}\n" for n in range(MAX_INSTANCES + 5)] * 2


class TestFailures:
    @pytest.mark.parametrize(
        ("source", "reason", "place"),
        [
            ("\n  throw new TypeError('no');", FailureReason.THROWN, (2, 13)),
            ("nowhere;", FailureReason.THROWN, (1, 1)),
            ("function f() {\n  nowhere();\n}\nf();", FailureReason.THROWN, (2, 3)),
            ("let a = 1;\nlet b = ;", FailureReason.SYNTAX, (2, None)),
            ("if (1) {", FailureReason.SYNTAX, (1, None)),
            ("let custId = 1;", FailureReason.SYNTAX, (1, None)),
        ],
    )
    def test_place_is_the_authors(
        self, sandbox: Sandbox, source: str, reason: FailureReason, place: tuple[int, int | None]
    ) -> None:
        found = failure(sandbox, source)
        assert (found.reason, (found.line, found.column)) == (reason, place)

    def test_log_before_the_error_is_kept(self, sandbox: Sandbox) -> None:
        assert failure(sandbox, "console.log('so far'); throw 1").log == "so far\n"


class TestProcess:
    def test_killed_process_is_replaced_and_the_runs_are_done_again(self, cache: Path) -> None:
        sandbox = Sandbox(cache)
        try:
            expected = sandbox.run([a_run(TYPICAL)])
            assert sandbox.process_id
            os.kill(sandbox.process_id, signal.SIGKILL)
            assert sandbox.run([a_run(TYPICAL)] * 3) == expected * 3
            assert sandbox.restarts == 1
        finally:
            sandbox.close()

    def test_culprit_alone_is_told(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that stops its process, as a broken engine would."""
        monkeypatch.setattr("scripts.sandbox.process.WALL_SECONDS", stretched(1))
        sandbox = Sandbox(cache, program=program("stuck_child", ""))
        try:
            runs = [a_run(TYPICAL), a_run("/* stuck */"), a_run(TYPICAL)]
            reasons = [_reason(outcome) for outcome in sandbox.run(runs)]
            assert reasons == [None, FailureReason.KILLED_CHILD, None]
        finally:
            sandbox.close()

    @pytest.mark.parametrize("is_cached", [False, True])
    def test_every_thread_is_locked(self, tmp_path: Path, *, is_cached: bool) -> None:
        """Also of a process that has just translated the guest, for which the engine may start threads."""
        sandbox = Sandbox(tmp_path if is_cached else None)
        try:
            sandbox.start()
            threads = [*Path(f"/proc/{sandbox.process_id}/task").glob("*/status")]
            filtered = [re.search(r"^Seccomp:\t(\d)", each.read_text(), re.MULTILINE) for each in threads]
        finally:
            sandbox.close()
        assert [each and each[1] for each in filtered] == ["2" if standing_walls().seccomp else "0"]

    def test_process_that_cannot_start_is_told(self) -> None:
        with pytest.raises(SandboxFailed, match="no_such_module"):
            Sandbox(program=(sys.executable, "-m", "no_such_module")).run([a_run("")])

    def test_another_guest_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("scripts.sandbox.guest.GUEST_SHA256", "0" * 64)
        with pytest.raises(WrongGuest, match=r"install quickjs-rs 0\.2\.6"):
            load_guest(open_engine(), None)

    def test_translation_that_others_may_write_is_not_loaded(self, cache: Path, tmp_path: Path) -> None:
        (translated,) = cache.iterdir()
        poisoned = tmp_path / translated.name
        poisoned.write_bytes(b"poison")
        poisoned.chmod(0o666)
        load_guest(open_engine(), tmp_path)
        assert poisoned.read_bytes() != b"poison", "it is made again"


@pytest.mark.skipif(bool(standing_walls().missing), reason="this machine has no seccomp or no Landlock")
@pytest.mark.parametrize("deed", DEEDS)
def test_escaped_script_is_stopped_by_the_second_wall(deed: str) -> None:
    ran = subprocess.run(program("escape", deed), env={}, capture_output=True, check=False)
    assert b"escaped" not in ran.stdout
    assert ran.returncode == (0 if deed == "environment" else -signal.SIGSYS), ran.stderr.decode()


def _as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _log(outcome: Outcome) -> str:
    return outcome.log


def _reason(outcome: Outcome) -> FailureReason | None:
    return None if isinstance(outcome, ScriptResult) else outcome.reason
