"""Script workers on the in-memory Kafka, with a real sandbox."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.publisher import FakePublisher
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.topic_admin import FakeTopicAdmin
from runtime.fake_kafka.topic_reader import read_topic
from runtime.kafka.admin.topic_admin import create_topics
from runtime.monitoring.health import Health
from runtime.stream.batching import LingerPolicy
from runtime.stream.marker_file import FakeMarkerFile
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames
from scripts.sandbox.process import Sandbox
from scripts.sandbox.run import DEFAULT_FUEL, ENGINE
from scripts.worker.assembly import ScriptFormats, ScriptPorts, build_script_loop
from scripts.worker.loop import ScriptLoop
from scripts.worker.observer import ScriptObserver
from scripts.worker.runner import ScriptRunner
from tests.builders import NOON, Record
from tests.loop.script import Script
from tests.loop.scripted_ports import ScriptedReader, ScriptedStream
from tests.turned_clock import TurnedClock

PARTITIONS = 3
GROUP = "link-actions.scripts"
SCHEMAS = load_schemas()
KINDS = load_kinds(SCHEMAS)
CODECS = {name: Codec(schema) for name, schema in SCHEMAS.items()}
NAMES = TopicNames("", "link-actions", tuple(KINDS))
UPDATES = NAMES.update("script")
NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
GREET = 'emit({kind: "set_field", field: "last_link", value: linkId});'


def an_update(number: int = 1, **changes: Any) -> Record:
    """A script update; its recipient and its id depend on the number."""
    return {
        "tenant_id": "acme",
        "link_id": "spring",
        "recipient_id": f"r-{number}",
        "click_id": str(uuid5(NAMESPACE, f"click {number}")),
        "clicked_at": NOON,
        "person_id": f"p-{number}",
        "company_id": None,
        "mailing_id": "m-1",
        "flow_id": None,
        "flow_run_id": None,
        "update_id": str(uuid5(NAMESPACE, f"update {number}")),
        "link_version": 1,
        "epoch": 0,
        "action_id": "score",
        "script": "greet",
        "link_url": "https://www.example.com/spring",
        "link_hits": 1,
        "return_url_applies": False,
        "script_version": 1,
        "parameters": {},
    } | changes


def effect_id(update: Record, effect: str = "0") -> str:
    """The id of an effect, computed as anybody can."""
    return str(uuid5(NAMESPACE, f"{update['update_id']}\x1f{effect}"))


class ScriptEnvironment:
    """Topics, scripts and updates. `sandbox` outlives the workers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.clock = TurnedClock()
        self.cluster = FakeCluster(self.clock)
        self.sandbox = sandbox
        self.in_flight = FakeMarkerFile()
        self._publisher = FakePublisher(self.cluster)
        create_topics(FakeTopicAdmin(self.cluster), NAMES, partitions=PARTITIONS, replication_factor=1)

    def define(self, source: str = GREET, *, script: str = "greet", version: int = 1, **changes: Any) -> None:
        """Publish a version of a script."""
        record = {
            "tenant_id": "acme",
            "script_id": script,
            "version": version,
            "source": source,
            "sha256": hashlib.sha256(source.encode()).hexdigest(),
            "engine": ENGINE,
            "emits": sorted(set(KINDS) - {"script"}),
            "hosts": [],
            "fuel": DEFAULT_FUEL,
            "memory": 16 << 20,
            "examples": [],
            "defined_at": NOON,
            "defined_by": "tests",
        } | changes
        key = f"acme/{script}/{version}".encode()
        self._publisher.publish(NAMES.script_definitions, CODECS["ScriptDefined"].encode(record), key)

    def count_hits(self, partition: int, clicks: int, *, epoch: int = 0) -> None:
        """Publish the clicks that a partition has seen on the link."""
        record = {"tenant_id": "acme", "link_id": "spring", "partition": partition, "epoch": epoch}
        value = CODECS["LinkHits"].encode(record | {"clicks": clicks, "first_clicks": clicks})
        self._publisher.publish(NAMES.hits, value, f"acme/spring/{partition}".encode(), partition=partition)

    def ask(self, *updates: Record) -> None:
        """Publish script updates."""
        for update in updates:
            key = f"{update['tenant_id']}/{update['recipient_id']}".encode()
            self.put(CODECS["RunScript"].encode(update), key)

    def put(self, value: bytes | None, key: bytes = b"acme/r-1") -> None:
        """Publish anything as a script update."""
        self._publisher.publish(UPDATES, value, key)

    def worker(
        self,
        script: Script | None = None,
        *,
        max_poll_records: int = 1_000,
        loop: type[ScriptLoop] = ScriptLoop,
        runner: type[ScriptRunner] = ScriptRunner,
    ) -> "ScriptWorker":
        """Build a draining worker."""
        return ScriptWorker(self, script or Script(), max_poll_records=max_poll_records, loop=loop, runner=runner)

    def drain(self, **options: Any) -> "ScriptWorker":
        """Let a worker do everything."""
        worker = self.worker(**options)
        worker.run()
        return worker

    def records(self, topic: str) -> list[FakeRecord]:
        """Return what a subscriber sees of a topic."""
        return read_topic(self.cluster, topic)

    def decoded(self, topic: str, record: str) -> list[Record]:
        """Return the records of a topic, decoded."""
        return [CODECS[record].decode(each.value() or b"") for each in self.records(topic)]

    def effects(self) -> list[tuple[str, str, str]]:
        """Return recipient, field and value of each set_field, in no order."""
        found = self.decoded(NAMES.update("set_field"), "SetField")
        return sorted((each["recipient_id"], each["field"], each["value"]) for each in found)

    def reasons(self) -> list[str]:
        """Return the reasons of the dead letters."""
        letters = self.records(NAMES.script_dead_letters)
        return sorted((dict(each.headers() or ())["dlq.reason"] or b"").decode() for each in letters)

    def expire_all_members(self) -> None:
        """Expire the sessions of all members."""
        group = self.cluster.group(GROUP, UPDATES)
        for member in group.members:
            group.leave(member)


class ScriptWorker:
    """One process: a loop with all its parts."""

    def __init__(
        self,
        environment: ScriptEnvironment,
        script: Script,
        *,
        max_poll_records: int,
        loop: type[ScriptLoop],
        runner: type[ScriptRunner],
    ) -> None:
        self.script = script
        cluster, clock = environment.cluster, environment.clock
        self.observer = ScriptObserver(CollectorRegistry(), Health(clock.monotonic), clock)
        self._stream = ScriptedStream(
            cluster,
            UPDATES,
            group_id=GROUP,
            transactional_id=f"{GROUP}/one",
            script=script,
            max_poll_records=max_poll_records,
        )
        ports = ScriptPorts(
            consumer=self._stream,
            definitions=ScriptedReader(cluster, NAMES.script_definitions, script),
            hits=ScriptedReader(cluster, NAMES.hits, script),
            in_flight=environment.in_flight,
            sandbox=environment.sandbox,
            observer=self.observer,
            clock=clock,
        )
        formats = ScriptFormats(NAMES, SCHEMAS, KINDS, None, "0.1.0")
        self._loop = build_script_loop(
            ports, formats, partitions=PARTITIONS, linger=LingerPolicy(0.0), drain=True, loop=loop, runner=runner
        )

    def run(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Run until everything is done, and leave the group."""
        self._loop.run(is_stopping)
        self._stream.close()
