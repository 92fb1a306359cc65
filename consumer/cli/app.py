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
from pydantic import ValidationError
from typer.main import get_command

from consumer.cli.command_line import PlainGroup
from consumer.cli.failure_log import NAME, begin_logging, report_failure
from consumer.cli.output import say
from consumer.errors import ExitCode, LinkActionsError, UsageError
from consumer.monitoring.stray_errors import log_stray_errors
from consumer.monitoring.version import versions
from consumer.terminal.streams import ReaderGone, prepare_streams
from consumer.terminal.text import is_encodable
from consumer.terminal.value_problem import problem_of

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


GARBAGE_AFTER_OBJECTS = 100_000
"""Looked for after 700, as it is by itself, garbage took 0.03 s of each start: modules are none."""


class LazyGroup(PlainGroup):
    """Knows each command's name and sentence, and imports the command itself when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments name, in place of what stands for it in the list."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name and name in COMMANDS else command, rest


app = typer.Typer(
    name=NAME,
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
)


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
        say(", ".join(f"{name} {version}" for name, version in versions().items()))
        raise typer.Exit


EPILOG = """Settings come from the environment, LINK_ACTIONS_*; LINK_ACTIONS_BOOTSTRAP_SERVERS names the brokers.

\b
Example:
  link-actions demo
  LINK_ACTIONS_BOOTSTRAP_SERVERS=localhost:9092 link-actions doctor"""


@app.callback(epilog=EPILOG)
def link_actions(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: show_version(wanted=value),
            is_eager=True,
            help="Show the versions of the program and of what it runs on, and exit.",
        ),
    ] = False,
) -> None:
    """Turn clicks on tracked mailing links into CRM updates: once per person, exactly once through Kafka."""


def _not_loaded() -> None:
    """Stand for a command that has not been imported."""


for _name, _sentence in COMMANDS.items():
    app.command(_name, help=_sentence)(_not_loaded)


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code. Whatever goes wrong is said on standard error, in one sentence."""
    command = arguments[0] if arguments else ""
    begin_logging(command, os.environ)
    try:
        return _run(arguments)
    except LinkActionsError as error:
        if str(error):
            report_failure(command, str(error), error.exit_code, os.environ)
        return error.exit_code
    except typer.TyperException as error:
        report_failure(command, _usage(error), ExitCode.USAGE, os.environ)
        return ExitCode.USAGE
    except typer.Abort:
        return ExitCode.UNEXPECTED
    except Exception:  # noqa: BLE001 - the one place: whatever nobody foresaw is logged once and ends the process
        structlog.get_logger().exception("command.failed", command=command, exit_code=int(ExitCode.UNEXPECTED))
        return ExitCode.UNEXPECTED


def _run(arguments: Sequence[str]) -> int:
    """Let Typer run it. Raises UsageError for what the process around it makes impossible, whatever the command."""
    _check_encoding(arguments)
    try:
        result = get_command(app).main(args=list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
    except SystemExit as error:  # Typer ends the program where the reader of the output has gone
        raise ReaderGone from error
    except OSError as error:
        if not _has_working_directory():
            raise UsageError("The working directory does not exist any more; change to one that does") from error
        if error.filename is None:
            raise
        raise UsageError(f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}") from error
    return result if isinstance(result, int) else ExitCode.DONE


def _check_encoding(arguments: Sequence[str]) -> None:
    """Refuse what is not UTF-8, but for names of files that exist: Kafka's records hold UTF-8 only."""
    for argument in arguments:
        if not is_encodable(argument) and not os.path.exists(argument):  # noqa: PTH110 - no path is made of any text
            raise UsageError(f"The argument {argument} is not UTF-8 text; set the locale of your terminal to UTF-8")


def _has_working_directory() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return False
    return True


def main() -> NoReturn:
    """Run the command that the process was started with."""
    gc.set_threshold(GARBAGE_AFTER_OBJECTS)
    # numpy's linear algebra, which nobody uses here, would start a thread for each core, and each would wait busily for
    # work: 0.07 s of a start's CPU on two cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    log_stray_errors()
    prepare_streams()
    code = execute(sys.argv[1:])
    try:
        sys.stdout.flush()
    except LinkActionsError as error:
        code = code or error.exit_code
    sys.exit(code)


def _usage(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    sentence = _in_our_words(error).rstrip(".")
    return f"{sentence}; see {context.command_path} --help" if context else sentence


def _in_our_words(error: typer.TyperException) -> str:
    """Return what is wrong with a call; where pydantic says it, in words that a user knows."""
    parameter, cause = getattr(error, "param", None), error.__cause__
    if parameter is None or not isinstance(cause, ValidationError):
        return error.format_message()
    details = dict(cause.errors(include_url=False)[0])
    given = "" if details["type"] == "value_error" else f", not {details['input']}"
    return f"Invalid value for {parameter.get_error_hint()}: {problem_of(details).rstrip('.')}{given}"
