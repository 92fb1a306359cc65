"""Asks for confirmation before a change that cannot be undone."""

import sys
from collections.abc import Sequence

import typer

from cli.link_tables import preview_lines
from cli.output import complain
from consumer.links.versioning import NextVersion
from runtime.errors import UsageError
from runtime.terminal.text import counted


def confirm(versions: Sequence[NextVersion], verb: str) -> bool:
    """Show the consequences and ask; return True without asking if there is nothing to publish.

    Raises UsageError if there is no terminal.
    """
    if all(each.before is None for each in versions):
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"links {verb} needs confirmation, and there is no terminal; "
            "check its effect with --dry-run, then run it with --yes"
        )
    for line in preview_lines(versions):
        complain(line)
    question = f"{verb.capitalize()} {counted(len(versions), 'link')}?"
    answer = typer.confirm(question, err=True)
    if not answer:
        complain("nothing was changed")
    return answer
