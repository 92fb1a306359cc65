"""Three new files make a new kind and nothing else is edited: those of the page, in a copy of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PAGE = (ROOT / "docs/adding-an-action.md").read_text()
FIELD, MODULE, TEST = re.findall(r"```(?:json|python)\n(.*?)```", PAGE, re.DOTALL)

NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "*.c")
KNOW_KINDS = [
    *("actions", "schemas", "edge/pages", "links", "verify", "demo", "decision", "loop", "cli", "scenarios"),
    "scripts/effects",
]
"""Folders of tests that can know which kinds there are; the others have a broker, or nothing to do with kinds."""
BLIND_TO_KINDS = [
    "actions/test_adding_a_kind.py",
    "decision/test_against_model.py",
    "decision/test_many_links.py",
    "demo/test_worker_process.py",
    "edge/pages/test_in_chromium.py",
    "loop/test_every_failure.py",
    "loop/test_rebalancing.py",
    "loop/test_stopping.py",
    "schemas/test_click.py",
]
"""Half the time of these folders, spent on failures and bytes that are the same for all kinds."""

LOAD = "import tests.actions.builders as b; b.kinds()"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository, with what was compiled."""
    return Path(shutil.copytree(ROOT, tmp_path / "copy", ignore=NOT_COPIED))


def add_schema(folder: Path) -> None:
    schema = json.loads((folder / "schemas/set_field.avsc").read_text())
    schema["name"] = "WriteNote"
    schema["fields"][14:] = [json.loads(FIELD)]
    (folder / "schemas/write_note.avsc").write_text(json.dumps(schema))


def add_kind(folder: Path) -> None:
    add_schema(folder)
    (folder / "actions/note.py").write_text(MODULE)
    (folder / "tests/actions/test_note.py").write_text(TEST)


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy: its packages come before those that are installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_three_new_files_make_a_kind_that_keeps_every_promise(copy: Path) -> None:
    add_kind(copy)

    tests = ["tests/actions/test_note.py", "tests/actions/test_every_kind.py"]
    result = run(copy, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "note", *tests)

    assert result.returncode == 0, result.stdout
    assert "test_every_kind.py::test_the_parameters_survive_the_link_definition[note-1] PASSED" in result.stdout
    assert "test_note.py::test_the_note_is_filled_in PASSED" in result.stdout


@pytest.mark.timeout(1_200)  # a good part of all tests, a second time
def test_nothing_else_need_be_edited(copy: Path) -> None:
    """The unit tests, and with them the in-memory demo, pass with the kind and with no other change."""
    add_kind(copy)
    for file in BLIND_TO_KINDS:
        (copy / "tests" / file).unlink()

    tests = [f"tests/{folder}" for folder in KNOW_KINDS]
    options = ["-m", "not kafka", "-v", "-p", "no:cacheprovider", "--hypothesis-profile=few"]
    result = run(copy, "-m", "pytest", *options, *tests)

    assert result.returncode == 0, result.stdout[-20_000:]
    assert re.search(r"test_in_memory_scenario\.py::test_demo_without_kafka_runs_in_memory\S* PASSED", result.stdout)
    assert "[write_note]" in result.stdout


def test_without_its_module_the_new_schema_stops_the_start(copy: Path) -> None:
    add_schema(copy)

    result = run(copy, "-c", LOAD)

    assert "schemas/ has the update record 'WriteNote', and no module of actions/ makes it" in result.stderr


def test_without_its_schema_the_new_module_stops_the_start(copy: Path) -> None:
    (copy / "actions/note.py").write_text(MODULE)

    result = run(copy, "-c", LOAD)

    assert "the kind 'note' makes 'WriteNote', and schemas/ has no update record of that name" in result.stderr
