import hashlib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from runtime.authoring.diagnostic import InvalidFiles, Severity
from runtime.authoring.source_files import SourceFile
from scripts.effects.script_update import CLICK_FIELDS, FIELDS
from scripts.files.desired import DesiredScript
from scripts.files.examples import TriedScripts, run_of, try_examples
from scripts.files.script_files import check_script_files
from scripts.files.script_model import NOON, ClickEntry
from scripts.sandbox.run import FailureReason, Outcome, ScriptFailure, ScriptResult, ScriptRun
from tests.scripts.effects.builders import KINDS

ROOT = Path(__file__).parents[3]
GOOD = """\
tenant: acme
scripts:
  - id: score
    file: score.js
    emits: [add_to_field, set_field]
    hosts: [SHOP.example.com]
    examples:
      - click: {custId: "4711", linkUrl: "https://www.example.com/"}
        parameters: {points: "5"}
        effects:
          - {kind: add_to_field, field: score, amount: "5.0"}
        returnUrl: https://shop.example.com
"""


def files_in(folder: Path, text: str = GOOD, source: str | bytes = "emit()") -> Path:
    (folder / "scripts.yaml").write_text(dedent(text))
    (folder / "score.js").write_bytes(source if isinstance(source, bytes) else source.encode())
    return folder


def script_in(folder: Path, text: str = GOOD, source: str = "emit()") -> DesiredScript:
    (script,) = check_script_files([files_in(folder, text, source)], KINDS)
    return script


def mistakes_in(folder: Path, text: str, source: str | bytes = "emit()") -> list[str]:
    files_in(folder, text, source)
    with pytest.raises(InvalidFiles) as wrong:
        check_script_files([folder], KINDS)
    return [str(mistake).replace(f"{folder}/", "") for mistake in wrong.value.mistakes]


def test_a_script_is_read_with_its_source_and_examples(tmp_path: Path) -> None:
    script = script_in(tmp_path)
    (example,) = script.examples

    assert (str(script.reference), script.source) == ("acme/score", "emit()")
    assert script.emits == ("add_to_field", "set_field")
    assert (script.hosts, script.fuel) == (("shop.example.com",), 100_000_000)
    assert [(each.effect_id, each.kind.name, each.parameters.model_dump()) for each in example.effects] == [
        ("0", "add_to_field", {"field": "score", "amount": "5"})
    ]
    assert example.return_url == "https://shop.example.com/"


def test_what_is_published_has_the_examples_as_json(tmp_path: Path) -> None:
    published = script_in(tmp_path).to_script(defined_by="anna", defined_at=7)

    (example,) = published.examples
    assert published.sha256 == hashlib.sha256(b"emit()").hexdigest()
    assert example.click == '{"custId":"4711","linkUrl":"https://www.example.com/"}'
    assert example.effects == ('{"kind":"add_to_field","field":"score","amount":"5"}',)
    assert (published.engine, published.memory) == ("js-1", 16 << 20)
    assert (published.defined_by, published.defined_at) == ("anna", 7)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("tenant: acme", "tenant: a/b", "scripts.yaml:1:1: tenant: 'a/b' is not a tenant id"),
        ("id: score", "id: ' x'", "scripts.yaml:3:5: script  x: id: it starts or ends with a blank"),
        ("file: score.js", "fiel: score.js", "scripts.yaml:3:5: script score: file is missing; add it"),
        ("file: score.js", "file: other.js", "scripts.yaml:4:5: script score: other.js cannot be read (No such file"),
        ("set_field]", "setfield]", "setfield is not a kind that a script emits; known are add_to_field, follow_up"),
        ("set_field]", "script]", "script is not a kind that a script emits"),
        ("SHOP.example.com", "https://x.example", "is not a host; write it without https://, port and path"),
        ("SHOP.example.com", "x..example", "its host x..example has two dots in a row"),
        ("hosts:", "fuel: 0\n    hosts:", "scripts.yaml:6:5: script score: fuel must be at least 1"),
        ("hosts:", "fuel: 500000001\n    hosts:", "fuel must be at most 500000000"),
        ("custId", "custid", "script score, example 1: custid is not known here; did you mean custId?"),
        ('"4711"', "4711", 'script score, example 1: custId must be text, but YAML reads 4711'),
        ("linkUrl:", "clickedAt: soon, linkUrl:", "clickedAt: 'soon' is not a time; write one such as"),
        ("linkUrl:", "linkHits: -1, linkUrl:", "linkHits must be at least 0"),
        ('points: "5"', "points: 5", "scripts.yaml:9:22: script score, example 1: points must be text"),
        ("amount: ", "amuont: ", "scripts.yaml:11:13: script score, example 1: effect 0 (add_to_field): amount is"),
        ('"5.0"', '"5,0"', "scripts.yaml:11:48: script score, example 1: effect 0 (add_to_field): amount: it"),
        ("kind: add_to_field", "kind: interest", "scripts.yaml:11:14: script score, example 1: effect 0: the"),
        ("https://shop", "http://shop", "scripts.yaml:12:9: script score, example 1: returnUrl begins with http:"),
        ("https://shop", "https://evil", "returnUrl leads to evil.example.com; add that to the script's hosts"),
        ("scripts:\n", "scripts:\nscripts:\n", "scripts is repeated (first in line 2)"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_line_and_fix(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    assert old in GOOD

    found = mistakes_in(tmp_path, GOOD.replace(old, new, 1))

    assert any(mistake in each for each in found), found


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        (b"\xff", "score.js is not UTF-8 text"),
        (b"x" * 65_537, "score.js cannot be read (it has more than 64 KiB); it is a file of at most 64 KiB beside"),
    ],
)
def test_a_source_is_text_of_at_most_64_kib(tmp_path: Path, source: bytes, mistake: str) -> None:
    assert mistake in mistakes_in(tmp_path, GOOD, source)[0]


def test_a_source_of_64_kib_is_read(tmp_path: Path) -> None:
    assert len(script_in(tmp_path, GOOD, "x" * 65_536).source) == 65_536


def test_two_scripts_with_ids_that_look_the_same_are_mistakes(tmp_path: Path) -> None:
    twice = GOOD + "  - {id: score, file: score.js}\n  - {id: s\u0441ore, file: score.js}\n"

    assert "scripts.yaml:13:5: script score: it is defined twice" in mistakes_in(tmp_path, twice)[0]


def test_link_files_beside_script_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "links.yaml").write_text("tenant: acme\nlinks: []\n")

    assert script_in(tmp_path).reference.script_id == "score"
    with pytest.raises(InvalidFiles, match=r"links.yaml:1:1: it has no scripts; name a file"):
        check_script_files([tmp_path / "links.yaml"], KINDS)
    with pytest.raises(InvalidFiles, match="1 mistake in the script files"):
        check_script_files([tmp_path / "links.yaml", tmp_path], KINDS)


@pytest.mark.parametrize(
    ("content", "is_script_file"),
    [(b"tenant: a\nscripts:\n", True), (b"scripts : []", True), (b"tenant: a\nlinks: []\n  scripts:", False)],
)
def test_a_script_file_is_told_by_its_key(content: bytes, *, is_script_file: bool) -> None:
    assert SourceFile("x", content).is_script_file == is_script_file


def test_a_click_of_an_example_has_every_name_of_the_contract() -> None:
    aliases = {field.alias or name: name for name, field in ClickEntry.model_fields.items()}

    assert aliases == {**FIELDS, **CLICK_FIELDS}


class Sandbox:
    """Answers every run with the same outcome, and keeps the runs."""

    def __init__(self, outcome: Outcome) -> None:
        self.runs: list[ScriptRun] = []
        self._outcome = outcome

    def run(self, runs: Any) -> list[Outcome]:
        self.runs += runs
        return [self._outcome for _ in runs]


EXPECTED = {"kind": "add_to_field", "field": "score", "amount": "5"}
SHOP = "https://shop.example.com"


def tried(folder: Path, outcome: Outcome, text: str = GOOD) -> TriedScripts:
    return try_examples([script_in(folder, text)], KINDS, Sandbox(outcome))


def sentences(folder: Path, outcome: Outcome, text: str = GOOD) -> list[str]:
    return [str(mistake).replace(f"{folder}/", "") for mistake in tried(folder, outcome, text).mistakes]


def a_result(*effects: Any, url: Any = SHOP) -> ScriptResult:
    return ScriptResult(effects, url, "", 7)


def test_an_example_is_run_with_what_the_author_wrote(tmp_path: Path) -> None:
    script = script_in(tmp_path)

    run = run_of(script, script.examples[0])

    assert (run.source, run.fuel, run.clicked_at_ms) == ("emit()", 100_000_000, NOON)
    assert (run.names["custId"], run.names["linkUrl"]) == ("4711", "https://www.example.com/")
    assert run.names["parameters"] == {"points": "5"}


def test_an_example_that_holds_is_no_mistake(tmp_path: Path) -> None:
    assert tried(tmp_path, a_result(EXPECTED)) == TriedScripts(1, 7, ())


@pytest.mark.parametrize(
    ("outcome", "mistake"),
    [
        (a_result(), 'scripts.yaml:8:9: script score, example 1: it emits nothing, not [{kind: "add_to_field", '),
        (a_result(EXPECTED | {"amount": "6"}), 'it emits [{kind: "add_to_field", field: "score", amount: "6"}], not ['),
        (a_result(EXPECTED | {"id": "x"}), 'it emits [{id: "x", kind: "add_to_field"'),
        (a_result(EXPECTED, EXPECTED), "change the script or the example"),
        (a_result(EXPECTED | {"amount": "1e9"}), "effect 0 (add_to_field): amount: it is not a decimal number"),
        (a_result({"kind": "request"}), "the script does not declare the kind request"),
        (a_result(EXPECTED, url="https://www.example.com/"), "it leaves returnUrl as it was, not https://shop.example"),
        (a_result(EXPECTED, url=SHOP + "/x"), "it leaves returnUrl https://shop.example.com/x, not https://shop"),
        (a_result(EXPECTED, url=None), "returnUrl must be text"),
        (ScriptFailure(FailureReason.THROWN, "Error: no", 3, 5), "score.js:3:5: script score, example 1: it ends with"),
        (ScriptFailure(FailureReason.SYNTAX, "SyntaxError: no", 2), "score.js:2:1: script score, example 1: it ends"),
        (ScriptFailure(FailureReason.OUT_OF_FUEL), "score.js:1:1: script score, example 1: it needs more than its"),
        (ScriptFailure(FailureReason.OUT_OF_MEMORY), "needs more memory"),
        (ScriptFailure(FailureReason.STACK), "calls itself too deeply"),
        (ScriptFailure(FailureReason.OUTPUT_TOO_LARGE), "emits too much"),
        (ScriptFailure(FailureReason.KILLED_CHILD), "ends the process of the sandbox"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_hold_says_so(tmp_path: Path, outcome: Outcome, mistake: str) -> None:
    found = sentences(tmp_path, outcome)

    assert any(mistake in each for each in found), found


WITHOUT_EXAMPLES = GOOD[: GOOD.index("    examples:")]


@pytest.mark.parametrize("outcome", [a_result(), ScriptFailure(FailureReason.THROWN, "TypeError: null")])
def test_a_script_without_examples_is_warned_of(tmp_path: Path, outcome: Outcome) -> None:
    (warning,) = tried(tmp_path, outcome, WITHOUT_EXAMPLES).mistakes

    assert (warning.severity, warning.location.line) == (Severity.WARNING, 3)


def test_a_script_without_examples_is_compiled(tmp_path: Path) -> None:
    outcome = ScriptFailure(FailureReason.SYNTAX, "SyntaxError: no", 1, 2)

    assert "score.js:1:2: script score: it ends with SyntaxError: no; fix it" in sentences(
        tmp_path, outcome, WITHOUT_EXAMPLES
    )


def test_the_examples_of_the_repository_are_read() -> None:
    assert check_script_files([ROOT / "examples"], KINDS)
