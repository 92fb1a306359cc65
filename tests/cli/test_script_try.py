"""`scripts try`: one run, shown to its author."""

import json
from pathlib import Path

import pytest

from cli.app import execute

SOURCE = """
if (linkHits > 5) emit({kind: "set_field", field: "size", value: parameters.size});
console.log("hits", linkHits);
returnUrl = linkUrl && linkUrl + "?seen";
"""
CLICK = '{"custId": "1", "linkHits": 9, "linkUrl": "https://www.example.com/a"}'


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.js"
    file.write_text(SOURCE)
    return file


def test_everything_that_a_run_gives_is_shown(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["scripts", "try", str(script), "--click", CLICK, "--parameter", "size=L"]) == 0
    effect, url, log, fuel = capsys.readouterr().out.splitlines()
    assert effect.endswith('{"kind": "set_field", "field": "size", "value": "L"}')
    assert url.endswith("https://www.example.com/a?seen, from this recipient's next click on")
    assert (log.split(), fuel.endswith(" of 100,000,000")) == (["log", "hits", "9"], True)


def test_json(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["scripts", "try", str(script), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["effects"], shown["returnUrl"], shown["log"]) == ([], None, "hits 1\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("let a;\n  a.b;", "script.js:2:3: thrown: TypeError: cannot read property 'b' of undefined"),
        ("for (;;);", "script.js: out_of_fuel"),
        ("let a = ;", "script.js:1: syntax: SyntaxError: unexpected token"),
        ("emit({kind: 'nonsense'});", "'nonsense' is not a kind of action"),
    ],
)
def test_failure_has_its_place(script: Path, capsys: pytest.CaptureFixture[str], source: str, said: str) -> None:
    script.write_text(source)
    assert execute(["scripts", "try", str(script)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--click", "nonsense"], "--click is not JSON"),
        (["--click", '{"custid": "1"}'], "did you mean custId?"),
        (["--parameter", "size"], "write name=text"),
        (["--update", "x", "--click", "{}"], "leave out --click"),
    ],
)
def test_wrong_options_are_explained(
    script: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert execute(["scripts", "try", str(script), *options]) == 2
    assert said in capsys.readouterr().err
