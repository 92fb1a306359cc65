"""Publishing links to a real broker, judged by a plain consumer and fastavro, which share no code with the author."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from fastavro.schema import fingerprint, to_parsing_canonical_form

from bench.registry_double import running_registry
from consumer.links.connect import connect_publisher
from consumer.links.link_publisher import LinkPublisher
from consumer.links.link_reference import LinkReference
from deploy.kafka import Broker
from runtime.authoring.definition_topic import KafkaDefinitionTopic, open_definition_topic
from runtime.authoring.publishing import DefinitionTopic, PublishedRecord, PublishInterrupted
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from tests.authoring.in_memory_topic import MemoryDefinitionTopic, MemoryLog
from tests.links.builders import CODEC, KINDS, wants, wants_field
from tests.support.patience import stretched

ROOT = Path(__file__).parents[2]
SCHEMAS = [
    fastavro.parse_schema(json.loads((ROOT / "schemas" / name).read_text()))
    for name in ("link_defined.avsc", "earlier/link_defined/1.avsc")
]

Versions = dict[str, list[dict[str, Any]]]


class Deployment:
    """A topic of definitions on the broker, the command line on it, and an independent look at it."""

    def __init__(self, bootstrap_servers: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(bootstrap_servers=bootstrap_servers, topic_prefix=prefix)
        self.topic = f"{prefix}link.definitions.v1"
        self.folder = folder

    def create_topic(self, partitions: int = 1) -> None:
        admin = AdminClient({"bootstrap.servers": self.settings.bootstrap_servers})
        topic = NewTopic(self.topic, partitions, 1, config={"cleanup.policy": "compact"})
        admin.create_topics([topic])[self.topic].result()

    def open_topic(self) -> KafkaDefinitionTopic:
        return open_definition_topic(self.settings, SystemClock())

    def author(self, name: str = "anna", open_topic: Callable[[], DefinitionTopic] | None = None) -> LinkPublisher:
        return LinkPublisher(
            open_topic or self.open_topic, kinds=KINDS, codec=CODEC, clock=SystemClock(), defined_by=name
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": self.settings.bootstrap_servers,
            "LINK_ACTIONS_TOPIC_PREFIX": self.settings.topic_prefix,
        }
        command = [sys.executable, "-c", "from cli.app import main; main()", "links", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=stretched(100))
        return process.returncode, out, err

    def run_json(self, *arguments: str) -> list[dict[str, Any]]:
        code, out, err = self.run(*arguments, "--json")
        assert (code, err) == (0, ""), err
        return [json.loads(line) for line in out.splitlines()]

    def write(self, name: str, *links: str) -> str:
        path = self.folder / name
        path.write_text("tenant: acme\nlinks:\n" + "".join(f"  - {link}\n" for link in links))
        return str(path)

    def published(self) -> Versions:
        """Every committed version by link, in the order of the topic."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "group.id": f"{self.topic}-judge",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
            }
        )
        consumer.assign([TopicPartition(self.topic, 0, 0)])
        versions: Versions = defaultdict(list)
        while True:
            message = consumer.poll(stretched(10))
            assert message is not None
            error = message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                consumer.close()
                return dict(versions)
            record = read_definition(message.value())
            assert message.key() == f"{record['tenant_id']}/{record['link_id']}/{record['version']}".encode()
            versions[f"{record['tenant_id']}/{record['link_id']}"].append(record)


def header_of(schema: Any) -> bytes:
    canonical = to_parsing_canonical_form(schema)
    return b"\xc3\x01" + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))


def read_definition(value: Any) -> dict[str, Any]:
    [writer] = [schema for schema in SCHEMAS if value[:10] == header_of(schema)]
    body = io.BytesIO(value[10:])
    record: Any = fastavro.schemaless_reader(body, writer, SCHEMAS[0], return_record_name=True)
    assert not body.read()
    return dict(record)


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Deployment:
    deployment = Deployment(kafka.bootstrap_servers, topic_prefix, tmp_path)
    deployment.create_topic()
    return deployment


@pytest.fixture(params=["kafka", "memory"])
def open_topic(request: pytest.FixtureRequest) -> Callable[[], DefinitionTopic]:
    """The real topic and its twin, which must behave alike."""
    if request.param == "memory":
        return partial(MemoryDefinitionTopic, MemoryLog())
    deployment: Deployment = request.getfixturevalue("deployment")
    return deployment.open_topic


@pytest.fixture
def topics(open_topic: Callable[[], DefinitionTopic]) -> Iterator[Callable[[], DefinitionTopic]]:
    opened: list[DefinitionTopic] = []

    def open_one() -> DefinitionTopic:
        opened.append(open_topic())
        return opened[-1]

    yield open_one
    for topic in opened:
        topic.close()


def link(link_id: str, name: str, *actions: str) -> str:
    return f"{{id: {link_id}, name: {name}, response: {{text: Thanks}}, actions: [{', '.join(actions)}]}}"


def field(action_id: str, value: str = "x") -> str:
    return f"{{id: {action_id}, kind: set_field, field: {action_id}, value: {value}}}"


def slots(record: dict[str, Any]) -> dict[str, int]:
    return {action["action_id"]: action["slot"] for action in record["actions"]}


def test_definition_reader_continues_with_new_versions(topics: Callable[[], DefinitionTopic]) -> None:
    author, reader = topics(), topics()
    author.fence_others()
    author.publish([(b"acme/a/1", b"1"), (b"acme/b/1", b"2")])

    assert list(reader.read_new()) == [(b"acme/a/1", b"1"), (b"acme/b/1", b"2")]
    assert list(reader.read_new()) == []
    author.publish([(b"acme/a/2", b"3")])
    assert list(reader.read_new()) == [(b"acme/a/2", b"3")]


def test_who_was_overtaken_publishes_nothing(topics: Callable[[], DefinitionTopic]) -> None:
    first, second, reader = topics(), topics(), topics()
    first.fence_others()
    second.fence_others()

    with pytest.raises(PublishInterrupted):
        first.publish([(b"acme/a/1", b"first")])
    second.publish([(b"acme/a/1", b"second")])

    assert list(reader.read_new()) == [(b"acme/a/1", b"second")]


def test_who_was_overtaken_may_take_over_again(topics: Callable[[], DefinitionTopic]) -> None:
    first, second = topics(), topics()
    first.fence_others()
    second.fence_others()
    first.fence_others()

    first.publish([(b"acme/a/1", b"first")])

    with pytest.raises(PublishInterrupted):
        second.publish([(b"acme/a/1", b"second")])
    assert list(second.read_new()) == [(b"acme/a/1", b"first")]


def test_files_are_published_once(deployment: Deployment) -> None:
    file = deployment.write("links.yaml", link("one", "One", field("a"), field("b")), link("two", "Two"))

    first = deployment.run_json("publish", file, "--author", "anna")
    again = deployment.run_json("publish", file)

    assert [(each["change"], each["id"], each["version"]) for each in first] == [
        ("created", "one", 1),
        ("created", "two", 1),
    ]
    assert [each["change"] for each in again] == ["unchanged", "unchanged"]
    published = deployment.published()
    assert [len(versions) for versions in published.values()] == [1, 1]
    (one,) = published["acme/one"]
    assert slots(one) == {"a": 0, "b": 1}
    assert one["response"] == ("link_actions.TextResponse", {"text": "Thanks"})
    assert one["actions"][0]["parameters"] == ("link_actions.SetFieldParameters", {"field": "a", "value": "x"})
    assert (one["status"], one["epoch"], one["url"], one["defined_by"]) == ("active", 0, None, "anna")


def test_life_of_a_link(deployment: Deployment) -> None:
    deployment.run_json("publish", deployment.write("1.yaml", link("one", "One", field("a"), field("b"))))
    deployment.run_json("publish", deployment.write("2.yaml", link("one", "Uno", field("c"), field("b"))))
    reset = deployment.run_json("reset", "acme/one", "--yes")
    deleted = deployment.run_json("delete", "acme/one", "--yes")
    again = deployment.run_json("delete", "acme/one", "--yes")
    back = deployment.run_json("publish", deployment.write("3.yaml", link("one", "Uno", field("a"))))

    assert [each["change"] for each in [*reset, *deleted, *again, *back]] == [
        "reset",
        "deleted",
        "unchanged",
        "restored",
    ]
    versions = deployment.published()["acme/one"]
    assert [record["version"] for record in versions] == [1, 2, 3, 4, 5]
    assert [record["epoch"] for record in versions] == [0, 0, 1, 1, 1]
    assert [record["status"] for record in versions] == ["active", "active", "active", "deleted", "active"]
    assert [slots(record) for record in versions] == [
        {"a": 0, "b": 1},
        *[{"c": 2, "b": 1}] * 3,
        {"a": 0},
    ]


def test_reused_action_id_is_refused_before_publishing(deployment: Deployment) -> None:
    deployment.run_json("publish", deployment.write("1.yaml", link("one", "One", field("a"))))
    wrong = link("one", "One", "{id: a, kind: request, title: t, owner: auto}")
    file = deployment.write("2.yaml", link("two", "Two"), wrong)

    for arguments in (["publish", file], ["check", "--against-published", file]):
        code, out, err = deployment.run(*arguments)
        assert (code, out) == (2, "")
        assert f"{file}:4:62: link one, action a: this id was published with the kind set_field" in err
    assert list(deployment.published()) == ["acme/one"]


def test_links_check_publishes_nothing(deployment: Deployment) -> None:
    file = deployment.write("1.yaml", link("one", "One"))

    code, out, _ = deployment.run("check", file, "--against-published")

    assert code == 0
    assert "acme/one" in out
    assert out.endswith("1 created\n")
    assert deployment.published() == {}


def test_irreversible_command_needs_confirmation(deployment: Deployment) -> None:
    deployment.run_json("publish", deployment.write("1.yaml", link("one", "One", field("a"))))

    for command in ("reset", "delete"):
        code, out, err = deployment.run(command, "acme/one")
        assert (code, out) == (2, "")
        assert "check its effect with --dry-run, then run it with --yes" in err
    code, out, _ = deployment.run("reset", "acme/one", "--dry-run")
    assert code == 0
    assert "epoch: 0 → 1" in out
    assert "=> its actions can apply again to everyone: a" in out
    (preview,) = deployment.run_json("delete", "acme/one", "--dry-run")
    assert preview["differences"] == ['status: "active" → "deleted"']
    assert len(deployment.published()["acme/one"]) == 1


def test_links_are_listed_and_shown(deployment: Deployment) -> None:
    repeat = "{id: s, kind: request, title: '[bold]x', owner: auto, repeat: {cooldown: 24h}}"
    deployment.run_json("publish", deployment.write("1.yaml", link("one", "'[red]One'", repeat), link("two", "Two")))
    deployment.run_json("delete", "acme/two", "--yes")

    code, listed, _ = deployment.run("list")
    assert code == 0
    assert "acme/one" in listed
    assert "[red]One" in listed
    assert "acme/two" not in listed
    assert [each["id"] for each in deployment.run_json("list", "--all", "--tenant", "acme")] == ["one", "two"]
    assert deployment.run_json("list", "--tenant", "other") == []

    code, shown, _ = deployment.run("show", "acme/one")
    assert code == 0
    assert "title: [bold]x" in shown
    assert "cooldown: 1d" in shown
    (two,) = deployment.run_json("show", "acme/two", "--version", "1")
    assert (two["status"], two["version"]) == ("active", 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reset", "acme/none", "acme/neither"], "acme/neither: no such link is published"),
        (["delete", "acme/none"], "acme/none: no such link is published"),
        (["show", "acme/none"], "acme/none: no such link is published"),
        (["show", "none"], "'none' is not a link; write tenant/link_id"),
    ],
)
def test_unknown_link_exits_with_2(deployment: Deployment, arguments: list[str], sentence: str) -> None:
    code, _, err = deployment.run(*arguments)

    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_a_missing_topic_is_one_sentence_and_exit_3(kafka: Broker, topic_prefix: str, tmp_path: Path) -> None:
    deployment = Deployment(kafka.bootstrap_servers, topic_prefix, tmp_path)

    code, _, err = deployment.run("publish", deployment.write("1.yaml", link("one", "One")))

    assert code == 3
    assert "run link-actions topics create" in err
    assert err.count("\n") == 1


def test_a_topic_of_more_than_one_partition_is_refused(kafka: Broker, topic_prefix: str, tmp_path: Path) -> None:
    deployment = Deployment(kafka.bootstrap_servers, topic_prefix, tmp_path)
    deployment.create_topic(partitions=2)

    code, _, err = deployment.run("list")

    assert code == 3
    assert "has 2 partitions and must have 1" in err


def test_unreachable_broker_exits_with_3(topic_prefix: str, tmp_path: Path) -> None:
    deployment = Deployment("127.0.0.1:1", topic_prefix, tmp_path)

    code, _, err = deployment.run("list")

    assert code == 3
    assert err.count("\n") == 1


def test_links_with_registry_keep_earlier_ones_readable(deployment: Deployment) -> None:
    deployment.author().publish([wants(name="First"), wants(reference=LinkReference("acme", "two"))])
    with running_registry() as registry:
        settings = deployment.settings.model_copy(update={"schema_registry_url": registry.url})
        author = connect_publisher(settings, defined_by="anna", clock=SystemClock())

        author.publish([wants(name="Second")])

        again = connect_publisher(settings, defined_by="anna", clock=SystemClock())
        assert [planned.change for planned in again.publish([wants(name="Second")])] == ["unchanged"]
        assert [link.version for link in again.list_links()] == [2, 1]
        ((identifier, _),) = registry.subjects[f"{deployment.topic}-value"]
        frames = {key: (value or b"")[:5] for key, value in deployment.open_topic().read_new()}
    assert frames[b"acme/spring/1"][:2] == b"\xc3\x01"
    assert frames[b"acme/spring/2"] == b"\x00" + identifier.to_bytes(4, "big")


def test_dead_author_blocks_no_other(deployment: Deployment) -> None:
    died = deployment.open_topic()
    died.fence_others()
    producer = died._producer
    assert producer is not None
    producer.begin_transaction()
    producer.produce(deployment.topic, b"half", b"acme/half/1", 0)
    producer.flush(stretched(10))
    started = time.monotonic()

    deployment.run_json("publish", deployment.write("1.yaml", link("one", "One")))

    assert time.monotonic() - started < stretched(30)
    assert list(deployment.published()) == ["acme/one"]
    died.close()


def test_two_processes_at_once_lose_nothing(deployment: Deployment) -> None:
    processes = []
    for number in range(4):
        own, shared = link(f"own-{number}", "Own"), link("shared", f"By {number}", field(f"a{number}"))
        processes.append(deployment.start("publish", deployment.write(f"{number}.yaml", own, shared)))

    ended = [(process.communicate(timeout=stretched(90)), process.returncode) for process in processes]

    assert [code for _, code in ended] == [0] * 4, ended
    check_nothing_lost(deployment.published(), authors=4, rounds=1)


def test_many_threads_at_once_lose_nothing(deployment: Deployment) -> None:
    authors, rounds = 4, 5
    together = threading.Barrier(authors)

    def publish_all(number: int) -> None:
        author = deployment.author(f"author-{number}")
        for turn in range(rounds):
            together.wait(timeout=stretched(100))
            own = wants(reference=LinkReference("acme", f"own-{number}"), name=f"Turn {turn}")
            name = f"By {number * rounds + turn}"
            shared = wants(wants_field(f"a{number}-{turn}"), reference=LinkReference("acme", "shared"), name=name)
            author.publish([own, shared])

    with ThreadPoolExecutor(authors) as pool:
        list(pool.map(publish_all, range(authors)))

    check_nothing_lost(deployment.published(), authors=authors, rounds=rounds)


def check_nothing_lost(published: Versions, *, authors: int, rounds: int) -> None:
    """Every author's every version is there once, numbered without gaps, and no slot has two owners."""
    for versions in published.values():
        assert [record["version"] for record in versions] == list(range(1, len(versions) + 1))
        owners: dict[int, str] = {}
        for record in versions:
            assert all(owners.setdefault(slot, action) == action for action, slot in slots(record).items())
    shared = published["acme/shared"]
    assert sorted(record["name"] for record in shared) == sorted(f"By {number}" for number in range(authors * rounds))
    assert all(len(published[f"acme/own-{number}"]) == rounds for number in range(authors))


class CarelessTopic:
    """Publishes without taking over, once everybody has planned: the bug that `check_nothing_lost` exists for."""

    def __init__(self, deployment: Deployment, everybody_planned: threading.Barrier) -> None:
        self._topic = deployment.open_topic()
        self._name = deployment.topic
        self._producer = Producer({"bootstrap.servers": deployment.settings.bootstrap_servers})
        self._everybody_planned = everybody_planned

    def read_new(self) -> Iterable[PublishedRecord]:
        return self._topic.read_new()

    def fence_others(self) -> None:
        pass

    def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        self._everybody_planned.wait(timeout=stretched(100))
        for key, value in records:
            self._producer.produce(self._name, value, key, 0)
        self._producer.flush(stretched(10))

    def close(self) -> None:
        self._topic.close()


def test_authors_without_fencing_lose_versions(deployment: Deployment) -> None:
    everybody_planned = threading.Barrier(2)

    def publish_one(number: int) -> None:
        own = wants(reference=LinkReference("acme", f"own-{number}"), name="Turn 0")
        shared = wants(reference=LinkReference("acme", "shared"), name=f"By {number}")
        author = deployment.author(open_topic=lambda: CarelessTopic(deployment, everybody_planned))
        author.publish([own, shared])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(publish_one, range(2)))

    with pytest.raises(AssertionError):
        check_nothing_lost(deployment.published(), authors=2, rounds=1)
