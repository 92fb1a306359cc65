"""The program `link-actions`: its commands, each loaded only when it is called, and what its exit code says.

A command named in `COMMANDS` lives in the module of that name beside this one, which exports either `app`, a
`typer.Typer`, or a function named like it. So `run` imports neither authoring nor the demo, and a worker starts fast.
"""

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import structlog
import typer
from typer.core import TyperGroup
from typer.main import get_command

from consumer.errors import ExitCode, LinkActionsError
from consumer.monitoring.logs import configure_logs
from consumer.settings import LogLevel
from consumer.version import versions

COMMANDS: Mapping[str, str] = {
    "run": "Turn clicks into updates: the worker.",
    "demo": "Show everything end to end on sample data.",
    "topics": "Create and check the topics.",
    "links": "Check, publish, list, reset and delete links.",
    "clicks": "Publish clicks from a file.",
    "updates": "Show the updates as subscribers see them.",
    "dlq": "Look at dead letters and replay them.",
    "state": "Move what is remembered to other partitions.",
    "acls": "Show the rights on Kafka that each role needs.",
    "doctor": "Check the installation and say how to mend it.",
}

NAME = "link-actions"

GARBAGE_AFTER_OBJECTS = 100_000
"""Looked for after 700, as it is by itself, garbage took 0.03 s of each start: modules are none."""


class LazyGroup(TyperGroup):
    """Knows each command's name and sentence, and imports the command itself when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments name, in place of what stands for it in the list."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name and name in COMMANDS else command, rest


app = typer.Typer(name=NAME, cls=LazyGroup, add_completion=False, rich_markup_mode=None)


def load_command(name: str) -> Any:
    """Import the module of a command and return the command."""
    module = importlib.import_module(f"consumer.cli.{name}")
    command: typer.Typer | None = getattr(module, "app", None)
    if command is None:
        command = typer.Typer(add_completion=False, rich_markup_mode=None)
        command.command(name)(getattr(module, name))
    return get_command(command)


def show_version(*, wanted: bool) -> None:
    """Print what `--version` asks for, and end."""
    if wanted:
        typer.echo(", ".join(f"{name} {version}" for name, version in versions().items()))
        raise typer.Exit


@app.callback(
    epilog="Settings come from the environment, LINK_ACTIONS_*; LINK_ACTIONS_BOOTSTRAP_SERVERS names the brokers."
)
def link_actions(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: show_version(wanted=value), is_eager=True)
    ] = False,
) -> None:
    """Turn clicks on tracked mailing links into CRM updates: once per person, exactly once through Kafka."""


def _not_loaded() -> None:
    """Stand for a command that has not been imported."""


for _name, _sentence in COMMANDS.items():
    app.command(_name, help=_sentence)(_not_loaded)


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code. Whatever goes wrong is said on standard error, in one sentence."""
    configure_logs(LogLevel.WARNING, None, client_library=None)
    try:
        result = get_command(app).main(args=list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
    except LinkActionsError as error:
        typer.echo(f"{NAME}: {error}", err=True)
        return error.exit_code
    except typer.TyperException as error:
        typer.echo(f"{NAME}: {_usage(error)}", err=True)
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.UNEXPECTED
    except Exception:  # noqa: BLE001 - the one place: whatever nobody foresaw is logged once and ends the process
        structlog.get_logger().exception("command.failed", command=" ".join(arguments[:1]))
        return ExitCode.UNEXPECTED
    return result if isinstance(result, int) else ExitCode.DONE


def main() -> NoReturn:
    """Run the command that the process was started with."""
    gc.set_threshold(GARBAGE_AFTER_OBJECTS)
    # numpy's linear algebra, which nobody uses here, would start a thread for each core, and each would wait busily for
    # work: 0.07 s of a start's CPU on two cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(execute(sys.argv[1:]))


def _usage(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    sentence = error.format_message().rstrip(".")
    return f"{sentence}; see {context.command_path} --help" if context else sentence
