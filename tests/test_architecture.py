"""The graph of packages, with what only Cython imports; import-linter holds the layers, and sees Python files alone."""

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("actions", "cli", "consumer", "edge", "runtime", "schemas", "scripts")
    for path in chain(*(ROOT.joinpath(folder).rglob(f"*{suffix}") for suffix in (".py", ".pyi", ".pyx", ".pxd")))
]
IMPORT = re.compile(
    r"^[ \t]*(?:from|import|cimport)[ \t]+((?:actions|cli|consumer|edge|runtime|schemas|scripts)[\w.]*)", re.MULTILINE
)
PURE = ("actions", "schemas", "consumer/changelog", "consumer/decision", "runtime/records")
IMPURE = re.compile(
    r"^[ \t]*(?:from|import|cimport)[ \t]+(confluent_kafka|logging|os|random|structlog|time)\b", re.MULTILINE
)
LOOSE_FILES = {"__init__.py", "clock.py", "errors.py", "ports.py"}


def imports(path: Path) -> Iterator[str]:
    return (match[1] for match in IMPORT.finditer(path.read_text()))


def package(module: str) -> str:
    """The package a module is in; `runtime.kafka.admin` counts separately, as does each loose file of `runtime`."""
    parts = module.split(".")
    return ".".join(parts[:3] if parts[:3] == ["runtime", "kafka", "admin"] else parts[:2])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def graph(files: Iterable[tuple[str, Iterable[str]]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module, imported in files:
        own = package(module)
        found.setdefault(own, set()).update(set(map(package, imported)) - {own})
    return found


def require_no_cycle(packages: Mapping[str, set[str]]) -> None:
    TopologicalSorter({name: below for name, below in packages.items() if "." in name}).prepare()


def test_no_cycle_between_packages() -> None:
    require_no_cycle(graph((module_of(path), imports(path)) for path in SOURCES))


def test_a_cycle_is_found() -> None:
    circular = [("consumer.loop.loop", ["runtime.state.store"]), ("runtime.state.store", ["consumer.loop.batch"])]
    with pytest.raises(CycleError, match=r"consumer\.loop"):
        require_no_cycle(graph(circular))


def test_compiled_parts_are_as_pure_as_their_counterparts() -> None:
    pure = [
        path for path in SOURCES if str(path.relative_to(ROOT)).startswith(PURE) and path.suffix in {".pyx", ".pxd"}
    ]
    assert pure
    assert {str(path): IMPURE.findall(path.read_text()) for path in pure if IMPURE.search(path.read_text())} == {}


def test_three_loose_files_beside_the_packages() -> None:
    assert {path.name for path in (ROOT / "runtime").glob("*.py*")} - {"py.typed"} == LOOSE_FILES
    assert {path.name for path in (ROOT / "consumer").glob("*.py*")} == {"__init__.py"}
