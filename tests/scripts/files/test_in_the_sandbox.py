"""The examples of the repository, run in the sandbox that workers have."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.app import execute
from cli.sandbox import open_sandbox
from runtime.errors import Unavailable
from scripts.files.examples import try_examples
from scripts.files.script_files import check_script_files
from scripts.sandbox.process import Sandbox, SandboxFailed
from tests.scripts.effects.builders import KINDS

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with closing(Sandbox()) as sandbox:
        yield sandbox


def test_all_examples_of_the_repository_hold(sandbox: Sandbox) -> None:
    scripts = check_script_files([EXAMPLES], KINDS)

    tried = try_examples(scripts, KINDS, sandbox)

    assert tried.mistakes == ()
    assert tried.examples >= len(scripts) >= 11


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        ("emit({kind: 'interest', operation: 'add', interest: 'x'}", "a.js:1:57: script a: it ends with SyntaxError"),
        ("let a = 1;\nlet a = 2;", "a.js:2:1: script a: it ends with SyntaxError"),
    ],
)
def test_a_mistake_of_syntax_names_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, mistake: str
) -> None:
    (tmp_path / "scripts.yaml").write_text("tenant: acme\nscripts:\n  - {id: a, file: a.js}\n")
    (tmp_path / "a.js").write_text(source)

    assert execute(["scripts", "check", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert mistake.partition(":1:")[0].partition(":2:")[0] in error
    assert "it ends with SyntaxError" in error


def test_a_loop_is_told_with_its_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scripts.yaml").write_text(
        "tenant: acme\nscripts:\n  - {id: a, file: a.js, examples: [{}, {click: {linkHits: 7}}]}\n"
    )
    (tmp_path / "a.js").write_text("if (linkHits === 7) for (;;);")

    assert execute(["scripts", "check", str(tmp_path)]) == 2
    assert "a.js:1:1: script a, example 2: it needs more than its fuel" in capsys.readouterr().err


def test_a_sandbox_that_cannot_be_started_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="it says nothing; link-actions doctor says what is missing"), open_sandbox():
        raise SandboxFailed("it says nothing")
