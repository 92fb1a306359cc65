"""The pages name only what exists: files, headings, make targets, commands, reasons."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.app import COMMANDS, load_command
from runtime.errors import ExitCode
from schemas.bad_record import Reason

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
FOLDERS = "actions|bench|cli|consumer|deploy|docs|edge|examples|runtime|schemas|scripts|tests"
NAMED_PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
NAMED_IN_FILE = re.compile(rf"`([A-Za-z_.]+)`,? (?:in )?`((?:{FOLDERS})/[\w./-]+\.\w+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
OF_THE_EXAMPLE = {"schemas/write_note.avsc", "actions/note.py", "tests/actions/test_note.py"}
"""Files that docs/adding-an-action.md adds."""
TAKE_A_ROLE = {"acls"}
SPACE, BRACKETS = " ", {"[": "]", "(": ")", "{": "}"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(SPACE, "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            yield link


def is_balanced(diagram: str) -> bool:
    """Return whether brackets close and each subgraph has its end, arrows left out."""
    expected: list[str] = []
    for character in re.sub(r"-+\.*-*>+|<-+", "", diagram):
        if character in BRACKETS:
            expected.append(BRACKETS[character])
        elif character in BRACKETS.values() and (not expected or expected.pop() != character):
            return False
    blocks = re.findall(r"^\s*(?:subgraph|loop|alt|opt|par|rect|critical)\b", diagram, re.MULTILINE)
    return not expected and len(blocks) == len(re.findall(r"^\s*end\b", diagram, re.MULTILINE))


@each_page
def test_paths_exist(page: Path) -> None:
    named = set(NAMED_PATH.findall(page.read_text())) - OF_THE_EXAMPLE
    assert [path for path in named if not list(ROOT.glob(path))] == []


@each_page
def test_names_are_in_their_files(page: Path) -> None:
    """A class, method or function beside a path is in that file."""
    named = NAMED_IN_FILE.findall(page.read_text())
    assert [(n, p) for n, p in named if not all(part in (ROOT / p).read_text() for part in n.split("."))] == []


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@each_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^ {4}|^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= targets


@each_page
def test_modules_exist(page: Path) -> None:
    modules = set(re.findall(r"python -m (\w+(?:\.\w+)*)", page.read_text()))
    assert [module for module in modules if not importlib.util.find_spec(module)] == []


@each_page
def test_commands_exist(page: Path) -> None:
    named = re.findall(r"(?:`|\$ |^ {4})link-actions ([a-z]+)(?: ([a-z]+))?(?=[ `\n])", page.read_text(), re.MULTILINE)
    for name, subcommand in set(named):
        assert name in COMMANDS
        assert not subcommand or name in TAKE_A_ROLE or subcommand in load_command(name).commands


@each_page
def test_mermaid_is_balanced(page: Path) -> None:
    diagrams = re.findall(r"^```mermaid\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    assert [diagram for diagram in diagrams if not is_balanced(diagram)] == []


def test_an_unbalanced_diagram_is_seen() -> None:
    assert is_balanced("flowchart LR\n  a([b]) -.-> c\n  subgraph d\n  end\n")
    assert not is_balanced("flowchart LR\n  a([b] --> c\n")
    assert not is_balanced("flowchart LR\n  subgraph d\n")


def test_the_file_map_has_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    rooms = [
        path.parent.relative_to(ROOT)
        for top in ("consumer", "runtime", "scripts")
        for path in ROOT.glob(f"{top}/*/__init__.py")
    ]
    assert [room for room in rooms if f"`{room}/`" not in page] == []


def test_every_dead_letter_reason_and_exit_code_is_documented() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in page] == []
    exit_codes = page.partition("## Exit codes")[2].partition("##")[0]
    assert [code for code in ExitCode if not re.search(rf"\b{code.value} [a-z\[]", exit_codes)] == []


def test_the_update_of_the_readme_is_that_of_the_tour() -> None:
    [shown] = re.findall(r"^```json\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    tour = (ROOT / "docs/tour.md").read_text()
    updates = [json.loads(line)["value"] for line in tour.splitlines() if line.startswith('{"topic"')]
    assert json.loads(shown) in updates


def test_the_costs_of_the_readme_are_those_of_the_benchmark() -> None:
    costs = (ROOT / "README.md").read_text().partition("| candidate |")[2].partition("\n\n")[0]
    measured = set(re.findall(r"[\d.,]+", (ROOT / "docs/benchmark.md").read_text()))
    assert set(re.findall(r"\| ([\d.,]+)(?= \|)", costs)) <= measured


def test_the_readme_keeps_its_reader() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 900
