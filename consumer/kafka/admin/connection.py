"""An admin client that says in one sentence why no broker answers."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from consumer.config.kafka_settings import KafkaSettings
from consumer.errors import Unavailable
from consumer.kafka.client import admin_config, note_error, open_admin

ANSWER_SECONDS = 4.0
"""How long a broker may take to answer before it counts as away."""

AWAY = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_RESOLVE", "_SSL", "_TIMED_OUT", "_TRANSPORT"})
"""Names of the errors that mean that no broker could be spoken to at all."""

DENIED = frozenset({
    "CLUSTER_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
})  # fmt: skip
"""Names of the errors that mean that this user may not do it."""


class Connection:
    """Speaks to the brokers of the settings; `client` must stay referenced while its answers are waited for."""

    def __init__(self, settings: KafkaSettings, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.answer_seconds = answer_seconds
        self._settings = settings
        self._errors: dict[str, str] = {}
        self.client: AdminClient = open_admin(admin_config(settings) | {"error_cb": self._remember})

    def metadata(self) -> ClusterMetadata:
        """Return what the cluster says of itself and of all topics that this user may see. Raises Unavailable."""
        with self.translated():
            return self.client.list_topics(timeout=self.answer_seconds)

    @contextmanager
    def translated(self, *, may_be_denied: bool = False) -> Iterator[None]:
        """Turn what the library raises into Unavailable; a denial that was foreseen is passed over."""
        try:
            yield
        except KafkaException as error:
            if not (may_be_denied and error.args[0].name() in DENIED):
                raise self.unavailable(error.args[0]) from error

    def unavailable(self, error: KafkaError) -> Unavailable:
        """Say why, by what the library reported meanwhile: a time-out alone hides a wrong password."""
        if error.name() not in AWAY:
            servers = self._settings.bootstrap_servers
            return Unavailable(f"The broker at {servers} refuses: {error.str()}; mend what it names")
        self.client.poll(0)
        # Loaded only now, for its library of certificates is a tenth of a worker's imports, and 8 MiB.
        diagnosis = importlib.import_module("consumer.kafka.admin.diagnosis")
        return Unavailable(diagnosis.explain({error.name(): error.str()} | self._errors, self._settings))

    def _remember(self, error: KafkaError) -> None:
        self._errors[error.name()] = error.str()
        note_error(error)
