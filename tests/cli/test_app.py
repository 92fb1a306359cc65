import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consumer.cli.app import COMMANDS, execute, load_command
from consumer.settings import Settings, variable

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
    call = "from consumer.cli.app import execute; execute(['--help'])"

    assert imported(call, "consumer.cli.", "actions", "deploy", "rocksdict") == ["consumer.cli.app"]


def test_run_imports_neither_authoring_nor_the_demo() -> None:
    call = "from consumer.cli.app import load_command; load_command('run')"

    assert imported(call, "consumer.authoring", "consumer.demo", "deploy", "testcontainers", "docker", "yaml") == []


@pytest.mark.parametrize("path", HELPED)
def test_the_help_of_each_command_has_an_example(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*path, "--help"]) == 0
    assert f"Example:\n    link-actions {' '.join(path)}" in capsys.readouterr().out


def test_the_help_of_run_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    execute(["run", "--help"])
    shown = capsys.readouterr().out

    assert all(f"  {variable(field)} " in shown for field in Settings.model_fields)


def test_the_version_names_what_matters_in_a_report(capsys: pytest.CaptureFixture[str]) -> None:
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
def test_a_wrong_call_is_one_line_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    said = capsys.readouterr()

    assert sentence in said.err
    assert said.err.startswith("link-actions: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_wrong_setting_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", "a b")

    assert execute(["topics", "create"]) == 2
    assert capsys.readouterr().err.startswith("link-actions: LINK_ACTIONS_BOOTSTRAP_SERVERS is wrong: ")


def test_what_nobody_foresaw_is_logged_once_with_a_traceback_and_is_exit_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def demo() -> None:
        raise ZeroDivisionError

    twin = ModuleType("consumer.cli.demo")
    twin.demo = demo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "consumer.cli.demo", twin)

    assert execute(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "command.failed"
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_every_command_that_is_there_can_be_loaded() -> None:
    folder = Path(__file__).parents[2] / "consumer" / "cli"
    for name in COMMANDS:
        if (folder / f"{name}.py").exists():
            assert callable(load_command(name))
