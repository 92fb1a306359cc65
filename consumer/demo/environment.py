"""The demo's environment: a folder, a Kafka, and its own topics and group."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from actions.registry import load_kinds
from consumer.demo.progress_reporter import ProgressReporter
from deploy.kafka import Broker, Kafka, start_kafka
from deploy.kafka.java import CACHE
from deploy.kafka.profile import KAFKA_VERSION
from runtime.config.client_properties import read_properties
from runtime.config.environment import load_settings
from runtime.config.settings import Settings, variable
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from runtime.kafka.admin.topics import topic_specs
from runtime.kafka.client import admin_config, open_admin
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

PARTITIONS = 4
CLIENT_PROPERTIES = """\
# The group notices a killed worker after 6 s instead of 10; the broker's default minimum is 6 s.
consumer.session.timeout.ms=6000
# Workers learn of a rebalance sooner.
consumer.heartbeat.interval.ms=500
"""
BROKER_DEFAULT = -1
"""The broker's default replication factor."""
DELETE_SECONDS = 10.0
LIST_SECONDS = 2.0


@dataclass(slots=True)
class Environment:
    """The environment of one run. Set `keeps_folder` to keep the folder."""

    folder: Path
    settings: Settings
    names: TopicNames
    kafka: str
    """Description of the broker."""
    is_shared: bool
    """True if the broker was given, not started by the demo."""
    keeps_folder: bool = False


@contextmanager
def open_environment(
    environ: Mapping[str, str], reporter: ProgressReporter, *, keep: bool
) -> Iterator[Environment | None]:
    """Yield the environment, or None if there is no Kafka; afterwards stop and remove everything that it created.

    With `keep`, or after a failure, the folder with all logs stays, and its path is printed.
    """
    folder = Path(tempfile.mkdtemp(prefix="link-actions-demo-"))
    keeps_folder = keep
    try:
        with _running_broker(folder, environ, reporter) as broker:
            if broker is None:
                yield None
                return
            environment = _build_environment(folder, broker, environ, keep=keep)
            try:
                yield environment
            finally:
                keeps_folder = environment.keeps_folder
                if environment.is_shared and not keep:
                    _delete_topics(environment)
    except KeyboardInterrupt:
        reporter.say("interrupted: the demo's processes are stopped")
        raise
    except BaseException:
        keeps_folder = keep or any(folder.glob("*.log"))
        raise
    finally:
        if keeps_folder:
            reporter.say(f"logs and state are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def create_demo_topics(environment: Environment) -> int:
    """Create the topics like `link-actions topics create`; return their number. Raises Unavailable."""
    admin = KafkaTopicAdmin(environment.settings.kafka)
    created, report = create_topics(admin, environment.names, partitions=PARTITIONS, replication_factor=BROKER_DEFAULT)
    report.require()
    return len(created)


@contextmanager
def _running_broker(folder: Path, environ: Mapping[str, str], reporter: ProgressReporter) -> Iterator[Broker | None]:
    with reporter.waiting(_waiting_for(environ)):
        broker = start_kafka(folder, environ=environ, tell=reporter.say)
    try:
        if broker is not None:
            reporter.say(broker.describe())
        yield broker
    finally:
        if broker is not None:
            broker.stop()


def _waiting_for(environ: Mapping[str, str]) -> str:
    if servers := environ.get(variable("bootstrap_servers")):
        return f"looking for Kafka at {servers}"
    fetched = (CACHE / f"jars-{KAFKA_VERSION}").exists()
    first = "" if fetched else "; the first run downloads it with Maven or Docker (50 MB)"
    return f"starting Kafka {KAFKA_VERSION}{first}"


def _build_environment(folder: Path, broker: Broker, environ: Mapping[str, str], *, keep: bool) -> Environment:
    """Take the broker's settings from the environment variables, and all others from the demo."""
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


def _delete_topics(environment: Environment) -> None:
    """Delete the topics and the group of this run from a shared broker."""
    admin = open_admin(admin_config(environment.settings.kafka))
    try:
        existing = admin.list_topics(timeout=LIST_SECONDS).topics
    except KafkaException:
        return
    topics = [spec.name for spec in topic_specs(environment.names) if spec.name in existing]
    if not topics:
        return
    futures = [
        *admin.delete_topics(topics, operation_timeout=DELETE_SECONDS, request_timeout=DELETE_SECONDS).values(),
        *admin.delete_consumer_groups([environment.settings.group_id], request_timeout=DELETE_SECONDS).values(),
    ]
    for future in futures:
        try:
            future.result()
        except KafkaException:
            continue  # not created yet, or the killed worker is still a member of the group
