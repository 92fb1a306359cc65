"""Three new files make a new kind, and nothing else is touched: those of the page on it, in a copy of the packages."""

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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages that know kinds, copied, with the configuration of the tests."""
    for package in ("actions", "schemas", "tests/actions"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("tests/__init__.py", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def add_schema(folder: Path) -> None:
    schema = json.loads((folder / "schemas/set_field.avsc").read_text())
    schema["name"] = "WriteNote"
    schema["fields"][14:] = [json.loads(FIELD)]
    (folder / "schemas/write_note.avsc").write_text(json.dumps(schema))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": ""}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_three_new_files_make_a_kind_that_keeps_every_promise(copy: Path) -> None:
    add_schema(copy)
    (copy / "actions/note.py").write_text(MODULE)
    (copy / "tests/actions/test_note.py").write_text(TEST)

    tests = ["tests/actions/test_note.py", "tests/actions/test_every_kind.py"]
    result = run(copy, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "note", *tests)

    assert result.returncode == 0, result.stdout
    assert "test_every_kind.py::test_the_parameters_survive_the_link_definition[note-1] PASSED" in result.stdout
    assert "test_note.py::test_the_note_is_filled_in PASSED" in result.stdout


def test_without_its_module_the_new_schema_stops_the_start(copy: Path) -> None:
    add_schema(copy)

    result = run(copy, "-c", "import tests.actions.builders as b; b.kinds()")

    assert "schemas/ has the update record 'WriteNote', and no module of actions/ makes it" in result.stderr


def test_without_its_schema_the_new_module_stops_the_start(copy: Path) -> None:
    (copy / "actions/note.py").write_text(MODULE)

    result = run(copy, "-c", "import tests.actions.builders as b; b.kinds()")

    assert "the kind 'note' makes 'WriteNote', and schemas/ has no update record of that name" in result.stderr
