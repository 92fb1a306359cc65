"""What the commands of links and of scripts have in common."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.link_tables import show_mistakes
from runtime.authoring.diagnostic import InvalidFiles
from runtime.authoring.field_types import check_name
from runtime.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")]
By = Annotated[str | None, typer.Option("--author", help="Name of the author; default: your user name.")]


@contextmanager
def mistakes_as_json(*, as_json: bool) -> Iterator[None]:
    """Write mistakes as JSON objects if asked for."""
    try:
        yield
    except InvalidFiles as error:
        if not as_json:
            raise
        show_mistakes(error.mistakes)
        raise typer.Exit(error.exit_code) from error


def author_name(name: str | None) -> str:
    """Return the name to publish under, by default that of the user. Raises UsageError for one that cannot be shown."""
    if name is None:
        return _user_name()
    try:
        return check_name(name)
    except ValueError as error:
        raise UsageError(f"--author: {error}") from error


def _user_name() -> str:
    """Return the user name of the process; in a container there may be none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
