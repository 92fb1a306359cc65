"""Scripts and links through the command line: versions, what a link pins, and what stops publishing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka import Broker
from tests.kafka.test_publishing_links import ROOT, Deployment
from tests.support.patience import stretched

pytestmark = pytest.mark.kafka

SCRIPTS = """\
tenant: acme
scripts:
  - id: score
    file: score.js
    emits: [add_to_field]
    examples:
      - effects: [{kind: add_to_field, field: score, amount: "5"}]
"""
LINKS = """\
tenant: acme
links:
  - id: one
    name: One
    response: {text: Thanks}
    actions: [{kind: script, script: score, parameters: {points: "5"}}]
"""
SOURCE = 'emit({kind: "add_to_field", field: "score", amount: "5"});'


class Author:
    """Calls commands on an installation; its files are in one folder."""

    def __init__(self, bootstrap_servers: str, prefix: str, folder: Path) -> None:
        self._environment = os.environ | {
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": bootstrap_servers,
            "LINK_ACTIONS_TOPIC_PREFIX": prefix,
        }
        self.links = Deployment(bootstrap_servers, prefix, folder)
        self.folder = folder
        self.write(SOURCE)

    def write(self, source: str, links: str = LINKS) -> None:
        (self.folder / "scripts.yaml").write_text(SCRIPTS)
        (self.folder / "links.yaml").write_text(links)
        (self.folder / "score.js").write_text(source)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", "from cli.app import main; main()", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=stretched(100),
        )
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        code, out, err = self.run(*arguments, "--json")
        assert (code, err) == (0, ""), err
        return [json.loads(line) for line in out.splitlines()]

    def pinned(self) -> list[Any]:
        """Version and parameters of the script in each version of the link."""
        return [
            (fields["script_version"], fields["parameters"])
            for record in self.links.published()["acme/one"]
            for action in record["actions"]
            for _, fields in [action["parameters"]]
        ]


@pytest.fixture
def author(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Author:
    author = Author(kafka.bootstrap_servers, topic_prefix, tmp_path)
    assert author.run("topics", "create", "--partitions", "1")[0] == 0
    return author


def test_a_link_pins_the_version_that_is_the_newest_when_it_is_published(author: Author) -> None:
    folder = str(author.folder)
    assert [(each["change"], each["version"]) for each in author.json("scripts", "publish", folder)] == [("created", 1)]
    assert [each["change"] for each in author.json("links", "publish", folder)] == ["created"]

    author.write(SOURCE + "\n")
    assert [(each["change"], each["version"]) for each in author.json("scripts", "publish", folder)] == [("changed", 2)]
    assert [each["change"] for each in author.json("scripts", "publish", folder)] == ["unchanged"]
    (preview,) = author.json("links", "check", folder, "--against-published")
    assert preview["change"] == "changed"
    assert author.pinned() == [(1, {"points": "5"})], "a new script changes no published link"

    assert [each["change"] for each in author.json("links", "publish", folder)] == ["changed"]
    assert author.pinned() == [(1, {"points": "5"}), (2, {"points": "5"})]
    assert [(each["id"], each["version"]) for each in author.json("scripts", "list")] == [("score", 2)]
    (first,) = author.json("scripts", "show", "acme/score", "--version", "1")
    assert (first["source"], first["emits"], first["engine"]) == (SOURCE, ["add_to_field"], "js-1")


def test_an_unpublished_script_stops_the_link(author: Author) -> None:
    folder = str(author.folder)

    for arguments in (["links", "publish", folder], ["links", "check", folder, "--against-published"]):
        code, out, err = author.run(*arguments)
        assert (code, out) == (2, "")
        assert (
            "links.yaml:6:15: link one, action script: the script score is not published; run link-actions scr" in err
        )
    assert author.run("links", "check", folder)[0] == 0
    assert author.links.published() == {}


def test_a_failing_example_stops_the_script(author: Author) -> None:
    author.write(SOURCE.replace("5", "6"))

    code, out, err = author.run("scripts", "publish", str(author.folder))

    assert (code, out) == (2, "")
    assert "scripts.yaml:7:9: script score, example 1: it emits [{kind:" in err
    assert author.json("scripts", "list") == []
