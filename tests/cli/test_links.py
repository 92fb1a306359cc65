"""`links` commands that need no broker, called through the command line."""

import json
from pathlib import Path

import pytest

from cli.app import execute
from tests.links.builders import GOOD

COMMANDS = ["check", "publish", "list", "show", "reset", "delete", "schema", "sign"]


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "links.yaml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("add", "ad").replace("name: Spring offer", "name: 7"))
    return str(path)


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", raising=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", command, "--help"]) == 0
    assert f"Example:\n    link-actions links {command}" in capsys.readouterr().out


def test_valid_files_are_counted_without_a_broker(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "check", good]) == 0
    assert capsys.readouterr().out == "no mistakes: 1 file, 1 link, 1 action\n"


def test_mistakes_go_to_stderr_with_exit_2(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "check", bad]) == 2
    said = capsys.readouterr()

    assert said.out == ""
    assert said.err.splitlines() == [
        "link-actions: 2 mistakes in the link files; fix them and try again:",
        f'  {bad}:4:5: link spring: name must be text, but YAML reads 7 as another type; put it in quotes: "7"',
        f"  {bad}:7:42: link spring, action interested: operation must be add or remove, not ad",
    ]


def test_mistakes_as_json(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "check", "--json", bad]) == 2
    mistakes = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(mistake["file"], mistake["line"], mistake["subject"]) for mistake in mistakes][:1] == [
        (bad, 4, "link spring")
    ]
    assert execute(["links", "check", "--json", good]) == 0
    assert capsys.readouterr().out == ""


def test_warnings_are_mistakes_only_with_strict(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(good).write_text(GOOD.replace("Spring offer", "Spring [FIRST_NAME]"))

    assert execute(["links", "check", good]) == 0
    said = capsys.readouterr()
    assert said.out == "no mistakes, 1 warning: 1 file, 1 link, 1 action\n"
    assert said.err.startswith(f"{good}:4:5: warning: link spring: [FIRST_NAME] is taken literally")
    assert execute(["links", "check", "--strict", good]) == 2
    assert "1 warning in the link files; fix them and try again:" in capsys.readouterr().err
    assert execute(["links", "publish", "--strict", good]) == 2
    assert execute(["links", "check", "--json", good]) == 0
    (warning,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (warning["severity"], warning["line"], warning["column"]) == ("warning", 4, 5)


def test_mistakes_are_reported_before_connecting(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "publish", bad]) == 2
    assert "2 mistakes in the link files" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["publish", "FILE"], ["check", "--against-published", "FILE"], ["list"], ["reset", "acme/spring"]]
)
def test_missing_broker_setting_is_named(arguments: list[str], good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", *(good if argument == "FILE" else argument for argument in arguments)]) == 2
    assert "LINK_ACTIONS_BOOTSTRAP_SERVERS is not set" in capsys.readouterr().err


@pytest.mark.parametrize("author", ["", "  ", "anna\n", "an\u200bna", "x" * 201])
def test_author_follows_the_rules_of_ids(author: str, good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "publish", good, "--author", author]) == 2
    assert "link-actions: --author: it " in capsys.readouterr().err


def test_schema_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Link file"


def test_missing_file_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "check", "nowhere.yaml"]) == 2
    assert "nowhere.yaml:1:1: the file cannot be read (No such file or directory)" in capsys.readouterr().err
