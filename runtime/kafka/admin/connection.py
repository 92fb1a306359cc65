"""An admin client that explains in one sentence why no broker answers."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.client import admin_config, note_error, open_admin

ANSWER_SECONDS = 4.0
"""Time that a broker may take to answer before it counts as unreachable."""

UNREACHABLE = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_RESOLVE", "_SSL", "_TIMED_OUT", "_TRANSPORT"})
"""Names of the errors that mean that no broker could be reached."""

DENIED = frozenset({
    "CLUSTER_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
})  # fmt: skip
"""Names of the errors that mean that the user lacks an ACL."""


class Connection:
    """An admin client with its errors translated; keep a reference to `client` while waiting for its futures."""

    def __init__(self, settings: KafkaSettings, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.answer_seconds = answer_seconds
        self._settings = settings
        self._errors: dict[str, str] = {}
        self.client: AdminClient = open_admin(admin_config(settings) | {"error_cb": self._remember})

    def metadata(self) -> ClusterMetadata:
        """Return the metadata of the cluster and of all topics that this user may see. Raises Unavailable."""
        with self.translated():
            return self.client.list_topics(timeout=self.answer_seconds)

    @contextmanager
    def translated(self, *, may_be_denied: bool = False) -> Iterator[None]:
        """Translate the library's exceptions into Unavailable; ignore a denial if `may_be_denied`."""
        try:
            yield
        except KafkaException as error:
            if not (may_be_denied and error.args[0].name() in DENIED):
                raise self.unavailable(error.args[0]) from error

    def unavailable(self, error: KafkaError) -> Unavailable:
        """Return the error with what the library has reported: a timeout alone may hide a wrong password."""
        if error.name() not in UNREACHABLE:
            servers = self._settings.bootstrap_servers
            return Unavailable(f"The broker at {servers} refuses: {error.str()}; fix what it names")
        self.client.poll(0)
        # Imported late: its certificate library is a tenth of a worker's imports, and 8 MiB.
        diagnosis = importlib.import_module("runtime.kafka.admin.diagnosis")
        return Unavailable(diagnosis.explain({error.name(): error.str()} | self._errors, self._settings))

    def _remember(self, error: KafkaError) -> None:
        self._errors[error.name()] = error.str()
        note_error(error)
