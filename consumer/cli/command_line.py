"""How the help of commands and groups looks: in plain words, without the notation of the library behind it."""

import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

LONGEST_CHOICES = 60
"""Characters of a list of choices that may stand beside an option; a longer one is told in its description."""

_TYPE = re.compile(r" <([^>]*)>(?:\.\.\.)?")
_RANGES = ((re.compile(r"(\d+)<=x<=(\d+)"), r"\1 to \2"), (re.compile(r"x>=(\d+)"), r"at least \1"))
_SECTIONS = (("Arguments", "argument"), ("Options", "option"))


class PlainCommand(TyperCommand):
    """A command with such a help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the command's name in its first line."""
        return [_bare(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """A group of commands with such a help."""

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
    """Name the value of an option by its type: a number is N, a text TEXT, and of choices each is told."""
    found = _TYPE.search(name)
    if found is None:
        return name, description
    option, kind = name[: found.start()], re.sub(r"^list\[(.*)\]$", r"\1", found[1])
    if "|" not in kind:
        return f"{option} {'N' if kind.startswith('int') else 'TEXT'}", description
    if len(kind) <= LONGEST_CHOICES:
        return f"{option} {kind}", description
    return f"{option} {option.strip('-').upper()}", f"{description} One of {kind.replace('|', ', ')}."


def _bare(piece: str) -> str:
    """Return `LINK` for `{LINK}`: what is in no brackets must be given."""
    return piece.replace("{", "").replace("}", "")
