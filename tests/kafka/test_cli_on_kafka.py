"""The commands against a real Kafka; what they write is read by a consumer that shares no code with them."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition, murmur2
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from actions.registry import load_kinds
from bench.registry_double import running_registry
from cli.app import execute
from consumer.inspect.record_view import time_of
from deploy.kafka import Broker
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.support.patience import Deadline, stretched
from tests.support.waiting import wait_until

SCHEMAS = load_schemas()
PROGRAM = [sys.executable, "-c", "from cli.app import main; main()"]
PARTITIONS = 3

SHARED: dict[str, Any] = {
    "tenant_id": "acme", "link_id": "spring", "recipient_id": "r-1", "click_id": "c-1",
    "clicked_at": 1_763_800_000_000, "person_id": "p-1", "company_id": None, "mailing_id": "m-1", "flow_id": None,
    "flow_run_id": None,
}  # fmt: skip
CLICK = SHARED | dict.fromkeys(
    ("link_version", "url", "http_method", "user_agent", "purpose", "network", "delivered_at", "link_count",
     "page_click_id", "fetch_mode", "fetch_user", "network_class")
) | {"test": False, "confirmed": False, "replayed": False}  # fmt: skip
NOW = int(time.time() * 1000)
"""Of records too: with a time long past, a broker's retention takes them away in the middle of a test."""

UPDATE = SHARED | {"update_id": "u-1", "link_version": 1, "epoch": 0, "action_id": "a", "field": "f", "value": "v"}


LINKS = """\
tenant: acme
links:
  - id: spring
    name: Spring
    response: {redirect: "https://www.example.com/spring"}
    actions: [{kind: set_field, field: choice, value: "yes"}]
"""


@dataclass
class Said:
    code: int
    out: str
    err: str


@dataclass
class Deployment:
    """A topic prefix of the test's own, and the program to use it with."""

    servers: str
    prefix: str
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Said:
        self.capsys.readouterr()
        code = execute(arguments)
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)

    def start(self, *arguments: str, **pipes: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *arguments], text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE, **pipes
        )

    def create_topics(self) -> None:
        assert self("topics", "create", "--partitions", str(PARTITIONS)).code == 0

    def create_topic(self, name: str, partitions: int, cleanup: str = "delete") -> None:
        admin = AdminClient({"bootstrap.servers": self.servers})
        topic = NewTopic(self.prefix + name, partitions, 1, config={"cleanup.policy": cleanup})
        admin.create_topics([topic])[topic.topic].result()

    def config_of(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.prefix + topic)
        admin = AdminClient({"bootstrap.servers": self.servers})
        config = admin.describe_configs([resource])[resource].result()
        return {name: entry.value for name, entry in config.items()}

    def produce(self, topic: str, *records: dict[str, Any], transaction: str | None = None) -> None:
        config = {"bootstrap.servers": self.servers} | (
            {"transactional.id": self.prefix + "test"} if transaction else {}
        )
        producer = Producer(config)
        if transaction:
            producer.init_transactions(10)
            producer.begin_transaction()
        for record in records:
            producer.produce(self.prefix + topic, **record)
        producer.flush(stretched(10))
        if transaction == "commit":
            producer.commit_transaction(10)
        if transaction == "abort":
            producer.abort_transaction(10)

    def read(self, topic: str, number: int) -> list[Message]:
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "independent", "enable.auto.commit": False})
        consumer.assign([TopicPartition(self.prefix + topic, partition, 0) for partition in range(PARTITIONS)])
        messages: list[Message] = []
        deadline = Deadline(20)
        while len(messages) < number and not deadline.has_passed:
            messages += consumer.consume(100, 0.2)
        messages += consumer.consume(100, 0.3)
        consumer.close()
        return messages


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("LINK_ACTIONS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LINK_ACTIONS_STATE_DIR", str(tmp_path / "state"))
    return monkeypatch


@pytest.fixture
def deployment(
    kafka: Broker, topic_prefix: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deployment:
    environment.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    environment.setenv("LINK_ACTIONS_TOPIC_PREFIX", topic_prefix)
    return Deployment(kafka.bootstrap_servers, topic_prefix, capsys)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_topics_are_created_once(deployment: Deployment) -> None:
    first = deployment("topics", "create", "--partitions", "3")
    second = deployment("topics", "create", "--partitions", "3")

    assert (first.code, second.code) == (0, 0)
    topics = 10 + len(load_kinds(SCHEMAS))
    assert first.out.count("created ") == topics
    assert second.out == f"{topics} topics are correct, with 3 partitions\n"


def test_dead_letter_topic_fits_largest_and_oldest_click(deployment: Deployment) -> None:
    deployment.create_topics()
    clicks, letters = deployment.config_of("link.clicks.v1"), deployment.config_of("link.clicks.dlq.v1")

    assert int(letters["max.message.bytes"]) >= int(clicks["max.message.bytes"]) + 100_000
    assert letters["retention.ms"] == "-1"
    assert deployment.config_of("link-actions.dedupe-changelog.v1")["cleanup.policy"] == "compact"


def test_created_topics_follow_clicks_partition_count(deployment: Deployment) -> None:
    deployment.create_topic("link.clicks.v1", 2)

    assert deployment("topics", "create").out.endswith("with 2 partitions\n")


def test_other_topic_counts_are_refused(deployment: Deployment) -> None:
    deployment.create_topic("link.clicks.v1", 2)
    more = deployment("topics", "create", "--partitions", "3")
    fewer = deployment("topics", "create", "--partitions", "1")
    safer = deployment("topics", "create", "--replication-factor", "3")

    assert [said.code for said in (more, fewer, safer)] == [2, 2, 2]
    assert "has 2 partitions, not 3; to have more, stop all workers and run link-actions state repartition" in more.err
    assert "Kafka cannot remove partitions" in fewer.err
    assert "link.clicks.v1 has 1 replica, not 3; " in safer.err
    assert "topics are correct" not in more.out + fewer.out + safer.out
    assert "link.hits.v1" in deployment("topics", "create").out


def test_wrong_topic_settings_are_reported_with_advice(deployment: Deployment) -> None:
    deployment.create_topic("link.clicks.v1", 3)
    deployment.create_topic("link-actions.dedupe-changelog.v1", 2, "compact")
    deployment.create_topic("link.definitions.v1", 1)
    said = deployment("topics", "create")

    assert said.code == 3
    assert said.err.count("dedupe-changelog.v1 has 2 partitions and must have 3") == 1
    assert "link.definitions.v1 has cleanup.policy delete and must have compact; run kafka-configs.sh" in said.err


def test_too_high_replication_factor_is_reported(deployment: Deployment) -> None:
    said = deployment("topics", "create", "--replication-factor", "9")

    assert said.code == 3
    assert "cannot be created" in said.err
    assert "Traceback" not in said.err


def test_good_lines_are_published_and_bad_ones_told(deployment: Deployment, tmp_path: Path) -> None:
    deployment.create_topics()
    lines = [
        {"tenant_id": "acme", "link_id": "l", "recipient_id": f"r-{number}", "clicked_at": "2026-11-22T09:30:00Z"}
        for number in range(20)
    ]
    texts = [json.dumps(line) for line in lines]
    texts[5:5] = ["nonsense", "", json.dumps(lines[0] | {"clicked_at": None})]
    file = tmp_path / "clicks.ndjson"
    file.write_text("\n".join(texts))
    said = deployment("clicks", "publish", str(file))

    assert said.code == 2
    assert said.out.startswith("published 20 clicks")
    assert said.err.splitlines() == [
        f"{file}:6: not JSON from column 1 on",
        f"{file}:8: clicked_at is missing",
        "link-actions: 2 lines are not clicks and were skipped; fix and publish only the skipped lines",
    ]
    messages = deployment.read("link.clicks.v1", 20)
    assert sorted(message.key() or b"" for message in messages) == sorted(f"acme/r-{n}".encode() for n in range(20))
    for message in messages:
        assert message.partition() == murmur2(message.key() or b"", PARTITIONS)
        record = Codec(SCHEMAS["LinkClicked"]).decode(message.value() or b"")
        assert f"acme/{record['recipient_id']}".encode() == message.key()
        assert record["clicked_at"] == 1_795_339_800_000


def test_clicks_may_come_from_standard_input(deployment: Deployment) -> None:
    deployment.create_topics()
    process = deployment.start("clicks", "publish", "-", stdin=subprocess.PIPE)
    out, err = process.communicate(
        '{"tenant_id":"a","link_id":"l","recipient_id":"r","clicked_at":1763800000000}\n', 20
    )

    assert (process.returncode, err) == (0, "")
    assert "published 1 click " in out
    assert "1 with a generated click_id" in out


def test_updates_tail_shows_committed_updates(
    deployment: Deployment,
) -> None:
    deployment.create_topics()
    value = Codec(SCHEMAS["SetField"]).encode(UPDATE)
    record = {"key": b"acme/r-1", "value": value, "headers": [("ce_id", b"u-1")], "partition": 1}
    deployment.produce("crm-updates.set-field.v1", record | {"timestamp": NOW}, transaction="commit")
    deployment.produce("crm-updates.set-field.v1", record, transaction="abort")
    said = deployment("updates", "tail", "--from-beginning", "--until-end", "--json")

    assert (said.code, said.err) == (0, "")
    assert json_lines(said.out) == [
        {
            "topic": deployment.prefix + "crm-updates.set-field.v1",
            "partition": 1,
            "offset": 0,
            "timestamp": NOW,
            "key": "acme/r-1",
            "headers": {"ce_id": "u-1"},
            "value": UPDATE,
        }
    ]
    assert (
        "acme  r-1  spring  a  field=f  value=v" in deployment("updates", "tail", "--from-beginning", "--until-end").out
    )
    assert deployment("updates", "tail", "--until-end").out == ""
    assert deployment("updates", "tail", "--from-beginning", "--until-end", "--kind", "request").out == ""
    assert deployment("updates", "tail", "--kind", "nothing").code == 2


def test_unreadable_update_is_reported(deployment: Deployment) -> None:
    deployment.create_topics()
    value = Codec(SCHEMAS["SetField"]).encode(UPDATE)
    deployment.produce("crm-updates.set-field.v1", {"value": b"\xff", "partition": 0}, {"value": value, "partition": 0})
    said = deployment("updates", "tail", "--from-beginning", "--until-end", "--json")

    assert [line["value"] for line in json_lines(said.out)] == [None, UPDATE]
    assert "0:0 cannot be read (unknown_frame" in said.err


def test_tail_shows_what_comes_until_it_is_interrupted(deployment: Deployment) -> None:
    deployment.create_topics()
    process = deployment.start("updates", "tail", "--json")
    value = Codec(SCHEMAS["SetField"]).encode(UPDATE)
    lines: list[str] = []

    def shows_a_line() -> bool:
        # The tail begins where the topics end when it starts, so what it has missed is sent again.
        deployment.produce("crm-updates.set-field.v1", {"value": value})
        os.set_blocking(process.stdout.fileno() if process.stdout else 0, False)
        lines.extend(process.stdout.readlines() if process.stdout else [])
        return bool(lines)

    wait_until(shows_a_line, "line")
    process.send_signal(signal.SIGINT)
    process.wait(stretched(10))
    _, err = process.communicate()

    assert json.loads(lines[0])["value"] == UPDATE
    assert (process.returncode, err) == (130, "")


def a_dead_letter(**fields: Any) -> dict[str, Any]:
    facts = {"reason": "unknown_version", "topic": "link.clicks.v1", "partition": "1", "offset": "7"}
    facts |= {"timestamp": "1763800000000", "version": "0.1.0", "detail": "version 9 is not known"}
    headers = [("trace", b"t"), *((f"dlq.{name}", fact.encode()) for name, fact in facts.items())]
    value = Codec(SCHEMAS["LinkClicked"]).encode(CLICK)
    record = {"key": b"acme/r-1", "value": value, "headers": headers, "timestamp": NOW, "partition": 1}
    return record | fields


def with_reason(reason: bytes) -> list[tuple[str, bytes]]:
    return [("dlq.reason", reason), ("dlq.detail", b"x")]


def test_dead_letters_are_listed_and_shown(deployment: Deployment) -> None:
    deployment.create_topics()
    assert deployment("dlq", "list").out == "0 dead letters\n"
    deployment.produce(
        "link.clicks.dlq.v1",
        a_dead_letter(),
        a_dead_letter(value=None, headers=with_reason(b"null_value")),
        a_dead_letter(key=None, value=b"\x00\x01", headers=with_reason(b"truncated"), partition=2),
    )

    listed = deployment("dlq", "list").out
    assert f"1:0    {time_of(NOW)}  unknown_version  1:7    version 9 is not known" in listed
    assert listed.endswith("3 dead letters: 1 unknown_version, 1 null_value, 1 truncated\n")
    assert "r-1" not in listed
    (only,) = json_lines(deployment("dlq", "list", "--json", "--reason", "truncated").out)
    assert (only["place"], only["value_bytes"]) == ("2:0", 2)
    shown = deployment("dlq", "show", "1:0").out
    assert "reason: unknown_version" in shown
    assert "00000000  c3 01" in shown
    assert 'link_id: "spring"' in shown
    assert json.loads(deployment("dlq", "show", "1:0", "--json").out)["decoded"] == CLICK
    assert "cannot be decoded: truncated" in deployment("dlq", "show", "2:0").out


@pytest.mark.parametrize(
    ("place", "sentence"),
    [("1:9", "There is no dead letter at 1:9"), ("9:0", "no dead letter at 9:0"), ("x", "'x' is not PARTITION:OFFSET")],
)
def test_a_place_without_a_dead_letter_is_a_wrong_call(deployment: Deployment, place: str, sentence: str) -> None:
    deployment.create_topics()
    said = deployment("dlq", "show", place)

    assert said.code == 2
    assert sentence in said.err


def test_a_replay_brings_back_the_original_records(deployment: Deployment) -> None:
    deployment.create_topics()
    letters = [
        a_dead_letter(),
        a_dead_letter(key=None, partition=2),
        a_dead_letter(value=None, headers=with_reason(b"null_value"), partition=0),
    ]
    deployment.produce("link.clicks.dlq.v1", *letters)
    assert "would replay 3" in deployment("dlq", "replay", "--dry-run").out
    assert "would replay 2" in deployment("dlq", "replay", "--dry-run", "--reason", "unknown_version").out
    assert deployment.read("link.clicks.v1", 0) == []

    assert deployment("dlq", "replay", "1:0").out.startswith("replayed 1 dead letter to")
    assert deployment("dlq", "replay", "1:0", "1:5").code == 2
    assert deployment("dlq", "replay", "--again").out.startswith("replayed 3 dead letters to")

    clicks = deployment.read("link.clicks.v1", 4)
    assert len(clicks) == 4
    right = murmur2(b"acme/r-1", PARTITIONS)
    for click in clicks:
        headers = dict(click.headers() or [])
        assert click.partition() == right
        assert click.timestamp()[1] >= NOW
        if headers["dlq.replayed"] == b"0:0":
            assert (click.key(), click.value()) == (b"acme/r-1", None)
        else:
            assert headers["trace"] == b"t"
            assert click.value() == letters[0]["value"]
            assert click.key() == (None if headers["dlq.replayed"] == b"2:0" else b"acme/r-1")
        assert "dlq.reason" not in headers


def test_replayed_letter_is_replayed_again_on_request_only(deployment: Deployment) -> None:
    deployment.create_topics()
    deployment.produce("link.clicks.dlq.v1", a_dead_letter(), a_dead_letter(partition=2))
    assert deployment("dlq", "replay", "1:0").code == 0
    named, bulk = deployment("dlq", "replay", "1:0"), deployment("dlq", "replay")
    listed = {line["place"]: line["replayed_at"] for line in json_lines(deployment("dlq", "list", "--json").out)}

    assert named.code == 2
    assert "1 dead letter replayed before (1:0); add --again" in named.err
    assert bulk.out.startswith("replayed 1 dead letter to")
    assert "1 dead letter replayed before (1:0) skipped" in bulk.err
    assert listed.keys() == {"1:0", "2:0"}
    assert all(time >= NOW for time in listed.values())
    assert "version 9 is not known (replayed)" in deployment("dlq", "list").out
    assert deployment("dlq", "show", "1:1").code == 2, "a note of a replay is no dead letter"


def test_replaying_what_goes_bad_again_doubles_nothing(deployment: Deployment, tmp_path: Path) -> None:
    deployment.create_topics()
    links = tmp_path / "links.yaml"
    links.write_text(LINKS)
    assert deployment("links", "publish", str(links)).code == 0
    value = Codec(SCHEMAS["LinkClicked"]).encode(CLICK | {"link_version": 9, "clicked_at": NOW})
    deployment.produce("link.clicks.v1", {"key": b"acme/r-1", "value": value, "headers": [("trace", b"t")]})

    def drain() -> None:
        worker = deployment.start("run", "--drain", env=dict(os.environ, LINK_ACTIONS_HTTP_PORT="0"))
        _, err = worker.communicate(timeout=stretched(60))
        assert worker.returncode == 0, err

    drain()
    for number in range(2, 5):
        assert deployment("dlq", "replay").out.startswith("replayed 1 dead letter to"), number
        drain()
        assert len(json_lines(deployment("dlq", "list", "--json").out)) == number
    letters = json_lines(deployment("dlq", "list", "--json").out)
    first = letters[0]["place"]
    assert [letter["copy_of"] for letter in letters] == [None, first, first, first]
    assert [letter["replayed_at"] is not None for letter in letters] == [True, True, True, False]
    headers: Any = deployment.read("link.clicks.dlq.v1", 7)[-1].headers()
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert {"trace", "dlq.replayed", "dlq.reason"} <= set(names)


def test_the_doctor_finds_a_good_deployment_good(deployment: Deployment) -> None:
    deployment.create_topics()
    said = deployment("doctor", "--json")
    statuses = {line["subject"]: line["status"] for line in json_lines(said.out)}

    assert said.code == 0
    assert statuses == {
        "program": "ok", "settings": "ok", "state": "ok", "registry": "ok", "connection": "ok", "broker": "ok",
        "core": "ok", "backend": "ok", "topics": "ok", "replicas": "warn", "rights": "ok", "transactions": "ok",
        "workers": "ok", "definitions": "ok", "descriptors": "ok", "history": "ok", "properties": "ok",
    }  # fmt: skip


def test_doctor_names_unreadable_definitions(deployment: Deployment) -> None:
    deployment.create_topics()
    broken, withdrawn = {"key": b"acme/broken/1", "value": b"garbage"}, {"key": b"acme/spring/9", "value": None}
    deployment.produce("link.definitions.v1", broken, withdrawn)
    said = deployment("doctor", "--json")
    findings = [line for line in json_lines(said.out) if line["subject"] == "definitions"]

    assert said.code == 0
    assert [line["status"] for line in findings] == ["warn", "warn"]
    assert "acme/broken version 1" in findings[0]["seen"]
    assert findings[0]["fix"] == "publish the link again, which creates a newer version"
    assert "acme/spring version 9" in findings[1]["seen"]


def test_doctor_names_missing_and_different_topics(deployment: Deployment) -> None:
    deployment.create_topic("link.clicks.v1", 3)
    deployment.create_topic("link.hits.v1", 2)
    said = deployment("doctor")

    assert said.code == 3
    assert "missing: " in said.out
    assert "→ run link-actions topics create" in said.out
    assert "has 2 partitions and must have 3" in said.out
    assert "has cleanup.policy delete and must have compact" in said.out


def test_worker_without_topics_exits(deployment: Deployment) -> None:
    process = deployment.start("run", "--drain")
    _, err = process.communicate(timeout=stretched(30))

    assert process.returncode == 3
    reason = json.loads(err.splitlines()[-1])["reason"]
    assert reason.startswith("Missing: ")
    assert reason.endswith("run link-actions topics create")


@pytest.mark.parametrize("arguments", [("updates", "tail"), ("dlq", "list"), ("dlq", "replay")])
def test_a_missing_topic_is_one_sentence_and_exit_3(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    said = deployment(*arguments)

    assert said.code == 3
    assert said.err.startswith("link-actions: Missing: ")
    assert said.err.count("\n") == 1


def test_clicks_and_updates_with_schema_registry(
    deployment: Deployment, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    links, clicks = tmp_path / "links.yaml", tmp_path / "clicks.ndjson"
    links.write_text(LINKS)
    clicks.write_text(json.dumps({name: SHARED[name] for name in SHARED if SHARED[name] is not None}))
    with running_registry() as registry:
        environment.setenv("LINK_ACTIONS_SCHEMA_REGISTRY_URL", registry.url)
        environment.setenv("LINK_ACTIONS_HTTP_PORT", "0")
        deployment.create_topics()
        assert deployment("links", "publish", str(links)).code == 0
        assert deployment("clicks", "publish", str(clicks)).code == 0
        worker = deployment.start("run", "--drain")
        _, err = worker.communicate(timeout=stretched(60))
        shown = deployment("updates", "tail", "--from-beginning", "--until-end", "--json")
        doctor = deployment("doctor", "--json")
    environment.delenv("LINK_ACTIONS_SCHEMA_REGISTRY_URL")
    unread = deployment("updates", "tail", "--from-beginning", "--until-end", "--json")

    assert worker.returncode == 0, err
    assert [(message.value() or b"")[:1] for message in deployment.read("link.clicks.v1", 1)] == [b"\0"]
    assert [(message.value() or b"")[:1] for message in deployment.read("crm-updates.set-field.v1", 1)] == [b"\0"]
    (line,) = json_lines(shown.out)
    assert (line["value"]["recipient_id"], line["value"]["value"]) == ("r-1", "yes")
    assert [line["status"] for line in json_lines(doctor.out) if line["subject"] == "registry"] == ["ok"]
    assert "unknown_schema" in unread.err


def test_a_file_of_properties_reaches_the_client(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "client.properties"
    file.write_text("no.such.property=1\n")
    monkeypatch.setenv("LINK_ACTIONS_KAFKA_CONFIG", str(file))
    said = deployment("topics", "create")

    assert said.code == 2
    assert '"no.such.property"' in said.err


def test_every_command_reports_unreachable_broker(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "clicks.ndjson"
    file.touch()
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    commands = [("topics", "create"), ("clicks", "publish", str(file)), ("updates", "tail"), ("dlq", "list"), ("run",)]
    started = time.monotonic()
    processes = [deployment.start(*command) for command in commands]
    said = [process.communicate(timeout=stretched(30))[1] for process in processes]

    assert [process.returncode for process in processes] == [3] * len(commands)
    assert time.monotonic() - started < stretched(15)
    *sentences, log = (text.splitlines()[-1] for text in said)
    for sentence in [*sentences, f"link-actions: {json.loads(log)['reason']}"]:
        assert sentence.startswith("link-actions: No Kafka broker answers at 127.0.0.1:1 (")
        assert "Connection refused" in sentence
    # The worker logs what its client library sees; the other commands say nothing but the sentence.
    assert [len(text.splitlines()) for text in said[:-1]] == [1] * 4
    assert deployment("doctor").code == 3
