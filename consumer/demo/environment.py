"""Where the demo takes place: a folder, a Kafka, and topics and a group of its own."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from actions.registry import load_kinds
from consumer.config.client_properties import read_properties
from consumer.config.environment import load_settings
from consumer.config.settings import Settings, variable
from consumer.demo.progress_reporter import ProgressReporter
from consumer.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from consumer.kafka.admin.topics import topic_specs
from consumer.kafka.client import admin_config, open_admin
from deploy.kafka import Broker, Kafka, start_kafka
from deploy.kafka.java import CACHE
from deploy.kafka.profile import KAFKA_VERSION
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

PARTITIONS = 4
CLIENT_PROPERTIES = """\
# A killed worker is missed after six seconds instead of ten; shorter no broker allows unless told to.
consumer.session.timeout.ms=6000
# Workers hear sooner that another one came.
consumer.heartbeat.interval.ms=500
"""
BROKERS_CHOICE = -1
"""As many replicas as the broker makes where nobody says how many."""
DELETE_SECONDS = 10.0
LISTEN_SECONDS = 2.0


@dataclass(slots=True)
class Environment:
    """What the demo works with. Set `keeps_folder` for the folder to stay."""

    folder: Path
    settings: Settings
    names: TopicNames
    kafka: str
    """In words."""
    is_shared: bool
    """Whether somebody else's broker is used."""
    keeps_folder: bool = False


@contextmanager
def open_stage(environ: Mapping[str, str], narrator: ProgressReporter, *, keep: bool) -> Iterator[Environment | None]:
    """Give a stage, or None where no Kafka is to be had; in the end, stop and remove whatever was made for it.

    With `keep`, or when something went wrong, the folder with all logs stays, and the narrator says where it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="link-actions-demo-"))
    keeps_folder = keep
    try:
        with _running_broker(folder, environ, narrator) as broker:
            if broker is None:
                yield None
                return
            stage = _build_stage(folder, broker, environ, keep=keep)
            try:
                yield stage
            finally:
                keeps_folder = stage.keeps_folder
                if stage.is_shared and not keep:
                    _delete_topics(stage)
    except KeyboardInterrupt:
        narrator.say("interrupted: what was started is stopped, what was made is removed")
        raise
    except BaseException:
        keeps_folder = keep or any(folder.glob("*.log"))
        raise
    finally:
        if keeps_folder:
            narrator.say(f"logs and state are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def make_topics(stage: Environment) -> int:
    """Create the topics as `link-actions topics create` does, and return how many there are. Raises Unavailable."""
    admin = KafkaTopicAdmin(stage.settings.kafka)
    created, report = create_topics(admin, stage.names, partitions=PARTITIONS, replication_factor=BROKERS_CHOICE)
    report.require()
    return len(created)


@contextmanager
def _running_broker(folder: Path, environ: Mapping[str, str], narrator: ProgressReporter) -> Iterator[Broker | None]:
    with narrator.waiting(_what_takes_a_while(environ)):
        broker = start_kafka(folder, environ=environ, tell=narrator.say)
    try:
        if broker is not None:
            narrator.say(broker.describe())
        yield broker
    finally:
        if broker is not None:
            broker.stop()


def _what_takes_a_while(environ: Mapping[str, str]) -> str:
    if servers := environ.get(variable("bootstrap_servers")):
        return f"looking for Kafka at {servers}"
    fetched = (CACHE / f"jars-{KAFKA_VERSION}").exists()
    first = "" if fetched else "; where it is not there yet it is downloaded first, once, some 50 MB by Maven or Docker"
    return f"starting Kafka {KAFKA_VERSION}{first}"


def _build_stage(folder: Path, broker: Broker, environ: Mapping[str, str], *, keep: bool) -> Environment:
    """Take what the environment says of the broker, and for all else settings of the demo's own."""
    given = load_settings({**environ, variable("bootstrap_servers"): broker.bootstrap_servers})
    properties = folder / "client.properties"
    properties.write_text(CLIENT_PROPERTIES)
    is_shared = isinstance(broker, Kafka)
    name = f"demo-{uuid.uuid4().hex[:6]}" if is_shared else "demo"
    settings = Settings(
        bootstrap_servers=given.bootstrap_servers,
        topic_prefix=f"{given.topic_prefix}{name}." if is_shared else "",
        group_id=f"link-actions-{name}",
        instance_id="demo",
        state_dir=folder / "state",
        kafka_config=given.kafka_config or read_properties(properties),
    )
    names = TopicNames(settings.topic_prefix, settings.group_id, tuple(sorted(load_kinds(load_schemas()))))
    return Environment(folder, settings, names, broker.describe(), is_shared=is_shared, keeps_folder=keep)


def _delete_topics(stage: Environment) -> None:
    """Leave a broker that others use as it was."""
    admin = open_admin(admin_config(stage.settings.kafka))
    try:
        existing = admin.list_topics(timeout=LISTEN_SECONDS).topics
    except KafkaException:
        return
    topics = [spec.name for spec in topic_specs(stage.names) if spec.name in existing]
    if not topics:
        return
    futures = [
        *admin.delete_topics(topics, operation_timeout=DELETE_SECONDS, request_timeout=DELETE_SECONDS).values(),
        *admin.delete_consumer_groups([stage.settings.group_id], request_timeout=DELETE_SECONDS).values(),
    ]
    for future in futures:
        try:
            future.result()
        except KafkaException:
            continue  # it was not made yet, or a worker that was killed still counts as its member
