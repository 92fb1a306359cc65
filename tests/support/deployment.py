"""The environment of one test: topics, links and clicks on a broker, the workers, and their output."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec

from actions.registry import load_kinds
from deploy.kafka import Broker
from schemas.record_schema import load_schemas
from schemas.topics import (
    DEAD_LETTERS,
    LINK_CLICKS,
    LINK_DEFINITIONS,
    LINK_FORMS,
    LINK_HITS,
    RETURN_URLS,
    SCRIPT_DEAD_LETTERS,
    SCRIPT_DEFINITIONS,
    SCRIPT_RUNS,
    changelog_topic,
    update_topic,
)
from tests.builders import Record
from tests.support.patience import stretched
from tests.support.points import check_point
from tests.support.publisher import Publisher
from tests.support.records import click_key, encode_click, encode_link, link_key
from tests.support.waiting import wait_until
from tests.support.worker import DEADLY, LINK_ACTIONS, STEERED, Worker

UPDATES = tuple(map(update_topic, load_kinds(load_schemas())))
OF_SCRIPTS = (SCRIPT_DEFINITIONS, SCRIPT_RUNS, SCRIPT_DEAD_LETTERS, RETURN_URLS)
COMPACTED = (LINK_DEFINITIONS, LINK_HITS, SCRIPT_DEFINITIONS, RETURN_URLS)
UNCOMMITTED, COMMITTED = IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED
SESSION_MS = 2_000
"""Session time-out of the workers on an idle machine, where the broker allows so short a one: how long a killed one
stays a member. On a busy machine one that lives may be silent for longer."""
DONE_SECONDS = 60.0
ANSWER_SECONDS = 5.0


class Deployment:
    """Topics under a prefix with a consumer group of their own. `close` kills the workers that are left.

    The workers connect to `worker_servers`, which may be changed to a proxy in front of the same broker.
    """

    def __init__(self, broker: Broker, prefix: str, folder: Path, *, partitions: int = 4, replication: int = 1) -> None:
        self.servers = self.worker_servers = broker.bootstrap_servers
        self._replication = replication
        self.prefix = prefix
        self.group = f"{prefix.strip('.')}-group"
        self.changelog = changelog_topic(self.group)
        self.partitions = partitions
        self.folder = folder
        self.links: list[Record] = []
        """Every version of a link that was published, in that order."""
        self.workers: list[Worker] = []
        self.admin = AdminClient({"bootstrap.servers": self.servers})
        # No member of the group: it only asks. It takes offsets that a transaction may still change.
        self._onlooker = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": self.group,
                "isolation.level": "read_uncommitted",
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._properties = self._client_properties()
        self._publisher: Publisher | None = None

    def create_topics(
        self,
        *,
        leaving_out: Sequence[str] = (),
        counts: Mapping[str, int] | None = None,
        configs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> "Deployment":
        """Create the topics except `leaving_out`, some with another partition count or further settings."""
        usual = (
            dict.fromkeys(self.topics, self.partitions)
            | {LINK_DEFINITIONS: 1, SCRIPT_DEFINITIONS: 1}
            | dict(counts or {})
        )
        further = configs or {}
        topics = [
            self._new_topic(name, count, further.get(name, {}))
            for name, count in usual.items()
            if name not in leaving_out
        ]
        for future in self.admin.create_topics(topics).values():
            future.result(timeout=stretched(DONE_SECONDS))
        wait_until(lambda: self._are_led([topic.topic for topic in topics]), "leader of every partition")
        return self

    def delete_topics(self) -> None:
        """Take all topics away, and with them what the group has committed; forget the links."""
        names = [self.topic(name) for name in self.topics]
        for future in self.admin.delete_topics(names).values():
            future.result(timeout=stretched(DONE_SECONDS))
        wait_until(lambda: not self.admin.list_topics().topics.keys() & set(names), "end of the topics")
        wait_until(lambda: not self.committed(), "end of what was committed")
        self.links.clear()
        self._publisher = None

    def alter(self, topic: str, config: Mapping[str, str]) -> None:
        """Change settings of a topic, named without its prefix."""
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.topic(topic), incremental_configs=entries)
        self.admin.incremental_alter_configs([resource])[resource].result(timeout=stretched(DONE_SECONDS))

    @property
    def topics(self) -> tuple[str, ...]:
        """The names of all topics, without the prefix."""
        of_clicks = (LINK_CLICKS, LINK_DEFINITIONS, *UPDATES, LINK_HITS, LINK_FORMS, DEAD_LETTERS)
        return (*of_clicks, *OF_SCRIPTS, self.changelog)

    def topic(self, name: str) -> str:
        """Return the full name of a topic."""
        return self.prefix + name

    def define(self, *links: Record) -> None:
        """Publish versions of links, and return once the broker has them."""
        self.links += links
        for link in links:
            self.publisher.publish(self.topic(LINK_DEFINITIONS), encode_link(link), link_key(link), partition=0)
        self.publisher.finish()

    def click(self, *clicks: Record) -> None:
        """Publish clicks as the edge does, and return once the broker has them."""
        for click in clicks:
            self.publisher.publish(self.topic(LINK_CLICKS), encode_click(click), click_key(click))
        self.publisher.finish()

    @property
    def publisher(self) -> Publisher:
        """Publishes anything; the partition is the Java client's choice unless it is named."""
        if self._publisher is None:
            self._publisher = Publisher(Producer(producer_config(self.servers)))
        return self._publisher

    def start(
        self,
        name: str,
        *arguments: str,
        settings: Mapping[str, str] | None = None,
        program: Sequence[str] = LINK_ACTIONS,
        stderr: int | None = None,
    ) -> Worker:
        """Start a worker; the name is its instance id, and its state is in a folder of that name.

        Its log goes to a file of that name, or to `stderr`.
        """
        return self._start(name, program, arguments, settings or {}, stderr=stderr)

    def start_steered(
        self, name: str, points: Mapping[str, str], *arguments: str, settings: Mapping[str, str] | None = None
    ) -> Worker:
        """Start a worker that dies or halts at points of its cycle (see `steered_worker`)."""
        for point in points:
            check_point(point)
        steps = [word for point, act in points.items() for word in (point, act)]
        return self._start(name, STEERED, [*arguments, *steps], settings or {})

    def start_deadly(self, name: str, act: str) -> Worker:
        """Start a worker that dies of marked records (see `deadly_worker`)."""
        return self._start(name, DEADLY, [act], {})

    def drain(self, name: str = "drain") -> Worker:
        """Let a worker finish everything there is; it must end well."""
        worker = self.start(name, "--drain")
        assert worker.wait_exit(timeout=DONE_SECONDS) == 0, worker.log
        return worker

    def wait_done(self, *, timeout: float = DONE_SECONDS) -> None:
        """Return once every click that was published here is committed by the group."""
        wanted = self.publisher.ends(self.topic(LINK_CLICKS))
        wait_until(
            lambda: self._is_committed(wanted),
            lambda: f"commit of {wanted}, only {self.committed()}; {self._logs()}",
            timeout=timeout,
        )

    def committed(self) -> dict[int, int]:
        """Return the group's committed offset of each partition of the clicks that has one."""
        asked = [TopicPartition(self.topic(LINK_CLICKS), partition) for partition in range(self.partitions)]
        places = wait_until(lambda: self._ask_committed(asked), "answer about what is committed", timeout=DONE_SECONDS)
        return {place.partition: place.offset for place in places if place.offset >= 0}

    def group_state(self) -> str:
        """Return what the group is about, in the library's words."""
        found = self.admin.describe_consumer_groups([self.group])[self.group].result(timeout=stretched(DONE_SECONDS))
        return str(found.state.name)

    def total_committed(self) -> int:
        """Return how many records of the clicks the group has committed, control records included."""
        return sum(self.committed().values())

    def has_open_transaction(self, partitions: Iterable[int]) -> bool:
        """Return whether any of these changelog partitions ends with records that are neither committed nor aborted."""
        wanted = [TopicPartition(self.topic(self.changelog), partition) for partition in partitions]
        ends = [self._ends(wanted, isolation) for isolation in (UNCOMMITTED, COMMITTED)]
        return ends[0] != ends[1]

    def state_of(self, name: str) -> Path:
        """Return the folder with the state of one worker."""
        return self.folder / "state" / name

    def configure(self, **properties: str) -> None:
        """Give workers that start from now on further client properties; `__` in a name means a dot."""
        self._properties |= {name.replace("__", "."): value for name, value in properties.items()}

    def write_properties(self) -> Path:
        """Write the present client properties to a file, and return its path."""
        path = self.folder / "client.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in self._properties.items()))
        return path

    def close(self) -> None:
        """Kill the workers that are left."""
        for worker in self.workers:
            worker.kill()
        self._onlooker.close()

    def _start(
        self,
        name: str,
        program: Sequence[str],
        arguments: Iterable[str],
        settings: Mapping[str, str],
        *,
        stderr: int | None = None,
    ) -> Worker:
        common = {
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": self.worker_servers,
            "LINK_ACTIONS_TOPIC_PREFIX": self.prefix,
            "LINK_ACTIONS_GROUP_ID": self.group,
            "LINK_ACTIONS_INSTANCE_ID": name,
            "LINK_ACTIONS_STATE_DIR": str(self.folder / "state"),
            "LINK_ACTIONS_KAFKA_CONFIG": str(self.write_properties()),
        }
        log_path = self.folder / f"{name}.log"
        worker = Worker({**common, **settings}, log_path, "run", *arguments, program=program, stderr=stderr)
        self.workers.append(worker)
        return worker

    def _ends(self, places: Iterable[TopicPartition], isolation: IsolationLevel) -> dict[int, int]:
        latest = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]  # its stub lacks the types
        ends = self.admin.list_offsets(latest, isolation_level=isolation)
        return {place.partition: end.result(timeout=stretched(DONE_SECONDS)).offset for place, end in ends.items()}

    def _ask_committed(self, asked: list[TopicPartition]) -> list[TopicPartition]:
        """Ask the coordinator; empty if the broker does not answer now."""
        with suppress(KafkaException):
            return self._onlooker.committed(asked, timeout=stretched(ANSWER_SECONDS))
        return []

    def _is_committed(self, wanted: Mapping[int, int]) -> bool:
        done = self.committed()
        if any(done.get(partition, 0) < end for partition, end in wanted.items()):
            assert any(worker.is_running for worker in self.workers), f"no worker is left; {self._logs()}"
            return False
        return True

    def _new_topic(self, topic: str, partitions: int, further: Mapping[str, str]) -> NewTopic:
        compacted = topic in COMPACTED or topic == self.changelog
        config = {"cleanup.policy": "compact" if compacted else "delete"}
        if topic == DEAD_LETTERS:
            config["max.message.bytes"] = "1148588"
        return NewTopic(self.topic(topic), partitions, self._replication, config={**config, **further})

    def _are_led(self, topics: Iterable[str]) -> bool:
        known = self.admin.list_topics(timeout=stretched(DONE_SECONDS)).topics
        return all(
            topic in known and known[topic].partitions and all(p.leader >= 0 for p in known[topic].partitions.values())
            for topic in topics
        )

    def _client_properties(self) -> dict[str, str]:
        session_ms = max(round(stretched(SESSION_MS)), self._shortest_session_ms())
        return {
            "consumer.session.timeout.ms": str(session_ms),
            "consumer.heartbeat.interval.ms": str(session_ms // 5),
            "reconnect.backoff.max.ms": "500",
        }

    def _shortest_session_ms(self) -> int:
        node = next(iter(self.admin.list_topics(timeout=stretched(DONE_SECONDS)).brokers))
        broker = ConfigResource(ConfigResource.Type.BROKER, str(node))
        config = self.admin.describe_configs([broker])[broker].result(timeout=stretched(DONE_SECONDS))
        return int(config["group.min.session.timeout.ms"].value)

    def _logs(self) -> str:
        return "; ".join(f"the end of {worker.log_path}:\n{worker.log[-2000:]}" for worker in self.workers)


def producer_config(servers: str) -> dict[str, str | int | bool]:
    """Return how the edge's producer is configured: the Java client's partitioner, each record written once."""
    return {
        "bootstrap.servers": servers,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "linger.ms": 2,
        "message.max.bytes": 2_000_000,
        "reconnect.backoff.max.ms": 500,
    }
