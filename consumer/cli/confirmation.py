"""The question before something that cannot be taken back."""

import sys
from collections.abc import Sequence

import typer

from consumer.cli.link_tables import preview_lines
from consumer.cli.output import complain
from consumer.errors import UsageError
from consumer.links.versioning import PlannedLink
from consumer.terminal.text import counted


def agreed(planned: Sequence[PlannedLink], verb: str) -> bool:
    """Show what it means and ask; where there is nothing to publish, there is no question.

    Raises UsageError where nobody is there to answer.
    """
    if all(each.before is None for each in planned):
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"links {verb} asks before it changes anything, and there is no terminal to ask on; "
            "look at what it would do with --dry-run, then call it with --yes"
        )
    for line in preview_lines(planned):
        complain(line)
    question = f"{verb.capitalize()} {counted(len(planned), 'link')}?"
    answer = typer.confirm(question, err=True)
    if not answer:
        complain("nothing was done")
    return answer
