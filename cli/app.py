"""The program `link-actions`: its commands, each imported only when it is called, and its exit codes.

A command of `COMMANDS` lives in the module of that name in this folder, which exports either `app`, a `typer.Typer`, or
a function named like it. So `run` imports neither the link files nor the demo, and a worker starts fast.
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

from cli.command_line import PlainGroup
from cli.failure_log import NAME, begin_logging, report_failure
from cli.output import say
from runtime.errors import ExitCode, LinkActionsError, UsageError
from runtime.monitoring.stray_errors import log_stray_errors
from runtime.monitoring.version import versions
from runtime.terminal.streams import ReaderGone, prepare_streams
from runtime.terminal.text import is_encodable
from runtime.terminal.value_problem import problem_of

COMMANDS: Mapping[str, str] = {
    "run": "Turn clicks into updates: the worker.",
    "edge": "Answer clicks and publish them: the edge.",
    "demo": "Show everything end to end on sample data.",
    "topics": "Create and check the topics.",
    "links": "Check, publish, list, reset, delete and sign links.",
    "scripts": "Check, publish, list, show and run scripts.",
    "clicks": "Publish clicks from a file.",
    "updates": "Show the updates as subscribers see them.",
    "dlq": "List, show and replay dead letters.",
    "state": "Repartition or reconcile the dedupe state.",
    "acls": "Show the rights on Kafka that each role needs.",
    "doctor": "Check the installation and say how to fix it.",
}


GARBAGE_AFTER_OBJECTS = 100_000
"""The default threshold of 700 costs 0.03 s per start for nothing: imported modules are never garbage."""


class LazyGroup(PlainGroup):
    """Lists each command by name and help text, and imports the command only when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the imported command instead of its placeholder."""
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
    module = importlib.import_module(f"cli.{name}")
    command: typer.Typer | None = getattr(module, "app", None)
    if command is None:
        command = typer.Typer(add_completion=False, rich_markup_mode=None)
        command.command(name)(getattr(module, name))
    return get_command(command)


def show_version(*, wanted: bool) -> None:
    """Print the versions and exit, if `--version` was given."""
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
            help="Show the versions of the program, librdkafka and Python, and exit.",
        ),
    ] = False,
) -> None:
    """Turn clicks on tracked mailing links into CRM updates: once per person, exactly once through Kafka."""


def _not_loaded() -> None:
    """Placeholder of a command that has not been imported."""


for _name, _sentence in COMMANDS.items():
    app.command(_name, help=_sentence)(_not_loaded)


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. A failure is reported on standard error in one sentence."""
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
    except Exception:  # noqa: BLE001 - the only place: unexpected errors are logged once and end the process
        structlog.get_logger().exception("command.failed", command=command, exit_code=int(ExitCode.UNEXPECTED))
        return ExitCode.UNEXPECTED


def _run(arguments: Sequence[str]) -> int:
    """Run the command with Typer. Raises UsageError if the environment of the process does not allow any command."""
    _check_encoding(arguments)
    try:
        result = get_command(app).main(args=list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
    except SystemExit as error:  # Typer exits if the reader of the output has closed it
        raise ReaderGone from error
    except OSError as error:
        if not _has_working_directory():
            raise UsageError("The working directory does not exist any more; change to another one") from error
        if error.filename is None:
            raise
        raise UsageError(f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}") from error
    return result if isinstance(result, int) else ExitCode.DONE


def _check_encoding(arguments: Sequence[str]) -> None:
    """Refuse arguments that are not UTF-8, except names of existing files: Kafka records hold UTF-8 only."""
    for argument in arguments:
        if not is_encodable(argument) and not os.path.exists(argument):  # noqa: PTH110 - pathlib rejects some texts
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
    # numpy's linear algebra, which is not used here, would start a busily waiting thread for each core: 0.07 s of a
    # start's CPU on two cores.
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
    """Return what is wrong with the arguments, with pydantic's messages replaced by ours."""
    parameter, cause = getattr(error, "param", None), error.__cause__
    if parameter is None or not isinstance(cause, ValidationError):
        return error.format_message()
    details = dict(cause.errors(include_url=False)[0])
    given = "" if details["type"] == "value_error" else f", not {details['input']}"
    return f"Invalid value for {parameter.get_error_hint()}: {problem_of(details).rstrip('.')}{given}"
