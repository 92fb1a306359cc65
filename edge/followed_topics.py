"""Opens what an edge follows on Kafka and keeps on its disk: links, and addresses that scripts have set."""

from collections.abc import Callable
from contextlib import ExitStack

from actions.registry import load_kinds
from edge.follower_thread import FollowerThread
from edge.link import EdgeLink, link_compiler
from edge.link_cache import LinkCache
from edge.remembered_registry import RememberedRegistry
from edge.return_urls import ReturnUrls
from edge.settings import EdgeSettings
from runtime.clock import Clock
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.clients import KafkaClients
from runtime.kafka.credentials import Credentials
from runtime.registry.codecs import reading_codec
from runtime.registry.registry import SchemaRegistry, connect_registry
from runtime.state.factory import open_state, state_folder
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

TOPIC_ID_FILE = "definitions-topic"
"""In the state folder: the topic whose definitions are stored there completely."""
REGISTRY_FILE = "schema-registry.json"
"""In the state folder: the last answers of the schema registry."""
STATE = "edge"
"""Folder in the state folder: an edge and a worker of one name do not share their state."""
_THREAD_SECONDS = 2.0


class FollowedTopics:
    """Opens them; the `stack` closes everything. `registry` is None without a schema registry."""

    def __init__(
        self, settings: EdgeSettings, stack: ExitStack, credentials: Credentials, *, names: TopicNames, clock: Clock
    ) -> None:
        """Raises RetriableError if the disk refuses."""
        self._settings = settings.model_copy(update={"state_dir": settings.state_dir / STATE})
        self._stack = stack
        self._clients = KafkaClients(settings.kafka, credentials=credentials)
        self._names = names
        self._clock = clock
        self._schemas = load_schemas()
        self.registry = self._open_registry()
        self._state = open_state(self._settings)
        stack.callback(self._state.close)

    def open_return_urls(self) -> ReturnUrls:
        """Open the addresses that an earlier process stored; nothing is read yet."""
        kafka, topic = self._settings.kafka, self._names.return_urls
        return ReturnUrls(
            self._clients.open_reader(topic),
            self._state,
            reading_codec(topic, self._schemas["ReturnUrlSet"], self.registry),
            partitions=lambda: require_topics(KafkaTopicAdmin(kafka), [topic])[topic].partitions,
            monotonic=self._clock.monotonic,
        )

    def open_links(self, refresh: Callable[[], None], *, on_complete: Callable[[], None]) -> LinkCache[EdgeLink]:
        """Open the links that an earlier process stored, and follow the topic from there on a thread.

        The thread calls `refresh` about twice a second, and `on_complete` once it has read all links. Raises
        RetriableError.
        """
        topic = self._names.definitions
        codec = reading_codec(topic, self._schemas["LinkDefined"], self.registry)
        file = state_folder(self._settings) / TOPIC_ID_FILE
        links = LinkCache(
            self._clients.open_reader(topic),
            self._state,
            link_compiler(codec, load_kinds(self._schemas)),
            topic_id=file.read_text() if file.exists() else None,
            monotonic=self._clock.monotonic,
        )
        thread = FollowerThread(
            links, refresh, topic_id_file=file, on_complete=on_complete, monotonic=self._clock.monotonic
        )
        thread.start()
        self._stack.callback(thread.stop, _THREAD_SECONDS)
        return links

    def _open_registry(self) -> SchemaRegistry | None:
        url = self._settings.schema_registry_url
        if url is None:
            return None
        registry = RememberedRegistry(connect_registry(url), state_folder(self._settings) / REGISTRY_FILE)
        self._stack.callback(registry.close)
        return registry
