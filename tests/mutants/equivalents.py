"""Mutants that change nothing that the program promises, with the reason for each."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.mutants.mutant import Mutant

LIST = Path(__file__).with_name("equivalents.toml")

Name = tuple[str, str, str]
"""File, the line without the fault and with it."""


def read_equivalents(path: Path = LIST) -> Mapping[Name, str]:
    """Return the reason of each mutant that is listed."""
    listed = tomllib.loads(path.read_text()).get("equivalent", [])
    return {(each["file"], each["before"], each["after"]): each["reason"] for each in listed}


def name_of(mutant: Mutant, root: Path) -> Name:
    """Return what the list knows the mutant by; a line number would change with every edit above."""
    before, after = mutant.lines(root)
    return mutant.file, before, after
