"""Opens the dedupe state of an installation while no worker runs: the changelog, restored into a folder."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.maintenance.changelog_writer import ChangelogWriter
from consumer.maintenance.repartition import RepartitionDependencies
from runtime.config.settings import Settings
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.consumer_group import ConsumerGroup
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin
from runtime.kafka.clients import KafkaClients
from runtime.state.disk import failure_at_start, require_writable
from runtime.state.factory import open_state
from schemas.topics import TopicNames


@contextmanager
def open_offline_state(settings: Settings, names: TopicNames) -> Iterator[RepartitionDependencies]:
    """Yield what repartitioning works with. The restored copy is deleted at the end; workers keep their own state."""
    with (
        _temporary_folder(settings.state_dir) as folder,
        closing(open_state(settings.model_copy(update={"state_dir": folder}))) as copies,
        closing(KafkaClients(settings.kafka).open_reader(names.changelog)) as reader,
        ChangelogWriter(settings, names.changelog) as changelog,
    ):
        yield RepartitionDependencies(
            names=names,
            topics=KafkaTopicAdmin(settings.kafka),
            group=ConsumerGroup(Connection(settings.kafka), settings.group_id),
            restorer=ChangelogRestorer(reader, copies),
            changelog=changelog,
        )


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    require_writable(parent)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="repartition-", dir=parent)
    except OSError as error:
        raise failure_at_start(parent, error) from error
    with folder as name:
        yield Path(name)
