import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cli.app import COMMANDS, execute, load_command
from runtime.config.settings import Settings, variable

HELPED = [
    ("doctor",),
    ("dlq", "list"),
    ("dlq", "show"),
    ("dlq", "replay"),
    ("updates", "tail"),
    ("run",),
    ("clicks", "publish"),
    ("topics", "create"),
]


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 0
    shown = capsys.readouterr().out

    assert all(f"  {name} " in shown for name in COMMANDS)


def imported(call: str, *packages: str) -> list[str]:
    code = f"import sys; {call}; print(*[name for name in sys.modules if name.startswith({packages!r})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


def test_the_help_of_all_commands_imports_none_of_them() -> None:
    call = "from cli.app import execute; execute(['--help'])"

    names = imported(call, *(f"cli.{name}" for name in COMMANDS), "actions", "deploy", "rocksdict")

    assert names == []


def test_run_imports_neither_authoring_nor_the_demo() -> None:
    call = "from cli.app import load_command; load_command('run')"

    assert imported(call, "consumer.links", "consumer.demo", "deploy", "testcontainers", "docker", "yaml") == []


@pytest.mark.parametrize("path", HELPED)
def test_the_help_of_each_command_has_an_example(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*path, "--help"]) == 0
    assert f"Example:\n    link-actions {' '.join(path)}" in capsys.readouterr().out


def test_the_help_of_run_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    execute(["run", "--help"])
    shown = capsys.readouterr().out

    assert all(f"  {variable(field)} " in shown for field in Settings.model_fields)


def test_version_names_program_librdkafka_and_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    shown = capsys.readouterr().out

    assert shown.startswith("link-actions ")
    assert "librdkafka " in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["topisc"], "No such command 'topisc'. Did you mean 'topics'?; see link-actions --help"),
        (["topics"], "Missing command; see link-actions topics --help"),
        (["topics", "create", "--partitions", "0"], "see link-actions topics create --help"),
        (["topics", "create", "--nope"], "No such option: --nope"),
    ],
)
def test_usage_error_is_one_line_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    said = capsys.readouterr()

    assert sentence in said.err
    assert said.err.startswith("link-actions: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_invalid_setting_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", "a b")

    assert execute(["topics", "create"]) == 2
    assert capsys.readouterr().err.startswith("link-actions: LINK_ACTIONS_BOOTSTRAP_SERVERS is wrong: ")


def test_unexpected_error_is_logged_once_with_exit_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def demo() -> None:
        raise ZeroDivisionError

    twin = ModuleType("cli.demo")
    twin.demo = demo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cli.demo", twin)

    assert execute(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "command.failed"
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_every_command_can_be_loaded() -> None:
    folder = Path(__file__).parents[2] / "cli"
    for name in COMMANDS:
        if (folder / f"{name}.py").exists():
            assert callable(load_command(name))


def groups_and_commands() -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = [()]
    for name in COMMANDS:
        subcommands = getattr(load_command(name), "commands", {})
        paths += [(name,), *((name, sub) for sub in subcommands)]
    return paths


@pytest.mark.parametrize("path", groups_and_commands())
def test_help_of_each_group_is_plain_and_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert execute([*path, "-h"]) == 0

    assert capsys.readouterr().out == shown
    assert "Example:\n    " in shown
    described = shown.split("Example:")[0]
    assert not any(notation in described for notation in ("<", "{", " range", "list["))
    assert all(len(line) <= 80 for line in described.splitlines())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["topics", "create", "--partitions", "x"], "'--partitions': it must be a whole number, not x"),
        (["topics", "create", "--partitions", "0"], "'--partitions': it must be at least 1, not 0"),
        (["run", "--workers", "1.5"], "'--workers': it must be a whole number, not 1.5"),
        (["demo", "--clicks", "1"], "'--clicks': it must be at least 1000, not 1"),
        (["links", "show", "a/b", "--version", "\x1b"], "'--version': it must be a whole number, not \\x1b"),
        (["doctor", "--role", "king"], "'--role': 'king' is not one of 'worker', 'edge'"),
    ],
)
def test_invalid_value_has_our_message(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(arguments) == 2
    said = capsys.readouterr().err

    assert sentence in said
    assert not any(phrase in said for phrase in ("Input should", "unable to parse", "Value error", ".;", ".,"))


def test_argument_in_another_encoding_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "publish", "links", "--author", "S\udcf8ren"]) == 2
    assert r"The argument S\udcf8ren is not UTF-8 text" in capsys.readouterr().err
