"""Commands on a real deployment in a terminal."""

import json
import os
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer

from cli.app import execute
from deploy.kafka import Broker
from schemas.topics import DEAD_LETTERS
from tests.support.publisher import Publisher
from tests.support.terminal import run_in_terminal

LONG = "spring-offer-2026-newsletter-for-existing-customers-block-"
LINK = """\
  - id: {id}
    name: Yes, tell me more about the new products of this spring and summer
    response: {{redirect: "https://www.example.com/spring"}}
    actions: [{{kind: set_field, field: choice, value: "yes"}}]
"""


@pytest.fixture
def environ(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in [name for name in os.environ if name.startswith("LINK_ACTIONS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("LINK_ACTIONS_TOPIC_PREFIX", f"t{uuid.uuid4().hex[:8]}.")
    monkeypatch.setenv("LINK_ACTIONS_STATE_DIR", str(tmp_path / "state"))
    assert execute(["topics", "create", "--partitions", "1"]) == 0
    return dict(os.environ)


@pytest.mark.parametrize("columns", [40, 80])
def test_two_long_ids_can_be_told_apart(environ: dict[str, str], tmp_path: Path, columns: int) -> None:
    links = tmp_path / "links.yaml"
    links.write_text("tenant: acme\nlinks:\n" + "".join(LINK.format(id=f"{LONG}{number}") for number in (1, 2)))
    published = run_in_terminal(["links", "publish", str(links)], environ, columns=columns)
    listed = run_in_terminal(["links", "list"], environ, columns=columns)

    for shown in (published, listed):
        assert shown.code == 0
        lines = shown.text.replace("\n", " ")
        assert lines.count(f"acme/{LONG}1") == lines.count(f"acme/{LONG}2") == 1
        assert all(heading in lines.split() for heading in ("link", "version", "epoch", "actions"))


def test_messages_beside_the_bar_have_lines_of_their_own(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "clicks.ndjson"
    good = json.dumps({"tenant_id": "acme", "link_id": "l", "recipient_id": "r", "clicked_at": "2026-11-22T09:30:00Z"})
    file.write_text("".join(f"{good}\n{{\n" for _ in range(50)))
    shown = run_in_terminal(["clicks", "publish", str(file)], environ, columns=100)

    assert shown.code == 2
    wrong = {f"{file}:{number}: not JSON from column 2 on" for number in range(2, 102, 2)}
    assert wrong <= set(shown.lines)
    assert "50 lines are not clicks and were skipped" in shown.text


@pytest.mark.parametrize(
    ("typed", "replayed"), [("y\n", "1 dead letter"), ("n\n", "0 dead letters"), ("\n", "0 dead letters")]
)
def test_a_second_replay_asks(environ: dict[str, str], typed: str, replayed: str) -> None:
    publisher = Publisher(Producer({"bootstrap.servers": environ["LINK_ACTIONS_BOOTSTRAP_SERVERS"]}))
    topic = environ["LINK_ACTIONS_TOPIC_PREFIX"] + DEAD_LETTERS
    publisher.publish(topic, b"x", b"acme/r", partition=0, headers=[("dlq.reason", b"unknown_frame")])
    publisher.finish()
    first = run_in_terminal(["dlq", "replay", "0:0"], environ)
    second = run_in_terminal(["dlq", "replay", "0:0"], environ, typed=typed)

    assert "replayed 1 dead letter to" in first.text
    assert "?" not in first.text
    assert "1 dead letter replayed before (0:0). Replay again? [y/N]" in second.text
    assert f"replayed {replayed} to" in second.text
