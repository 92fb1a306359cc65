"""Help texts of commands and groups in plain words, without Typer's own notation."""

import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

MAX_CHOICES_LENGTH = 60
"""Longest list of choices shown next to its option; a longer list moves into the description."""

_TYPE = re.compile(r" <([^>]*)>(?:\.\.\.)?")
_RANGES = ((re.compile(r"(\d+)<=x<=(\d+)"), r"\1 to \2"), (re.compile(r"x>=(\d+)"), r"at least \1"))
_SECTIONS = (("Arguments", "argument"), ("Options", "option"))


class PlainCommand(TyperCommand):
    """A command with plain help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the arguments in the usage line."""
        return [_bare(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """A group of commands with plain help."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write options and commands."""
        _write_parameters(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def _write_parameters(command: PlainCommand | PlainGroup, ctx: Any, formatter: Any) -> None:
    for title, kind in _SECTIONS:
        rows = list(_rows(command, ctx, kind))
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _rows(command: PlainCommand | PlainGroup, ctx: Any, kind: str) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and parameter.param_type_name == kind:
            name, description = record
            for pattern, words in _RANGES:
                description = pattern.sub(words, description)
            yield (_TYPE.sub("", name), description) if kind == "argument" else _option(name, description)


def _option(name: str, description: str) -> tuple[str, str]:
    """Show the value of an option as N, TEXT or its choices."""
    found = _TYPE.search(name)
    if found is None:
        return name, description
    option, kind = name[: found.start()], re.sub(r"^list\[(.*)\]$", r"\1", found[1])
    if "|" not in kind:
        return f"{option} {'N' if kind.startswith('int') else 'TEXT'}", description
    if len(kind) <= MAX_CHOICES_LENGTH:
        return f"{option} {kind}", description
    return f"{option} {option.strip('-').upper()}", f"{description} One of {kind.replace('|', ', ')}."


def _bare(piece: str) -> str:
    """Return `LINK` for `{LINK}`: required arguments have no brackets."""
    return piece.replace("{", "").replace("}", "")
