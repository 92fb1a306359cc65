"""Questions to a broker that only `doctor` asks."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, ConfigResource

from consumer.errors import Unavailable
from consumer.kafka.client import open_producer, transactional_id, worker_producer_config
from consumer.kafka.connection import Connection
from consumer.settings import Settings

Operations = frozenset[str] | None
"""Names of what this user may do; None where the broker does not tell."""


class KafkaProbe:
    """Asks about the cluster, about rights, and whether transactions can be had. Methods raise Unavailable."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    def broker_config(self, broker: int) -> Mapping[str, str | None]:
        """Return the settings of one broker; none where this user may not see them."""
        connection = self._connection
        resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
        config: dict[str, str | None] = {}
        with connection.translated(may_be_denied=True):
            future = connection.client.describe_configs([resource], request_timeout=connection.answer_seconds)[resource]
            config.update({name: entry.value for name, entry in future.result().items()})
        return config

    def topic_operations(self, names: Iterable[str]) -> Mapping[str, Operations]:
        """Return what this user may do with each of the topics, all of which must exist."""
        connection = self._connection
        with connection.translated():
            futures = connection.client.describe_topics(
                TopicCollection(list(names)),
                include_authorized_operations=True,
                request_timeout=connection.answer_seconds,
            )
            return {name: _names(future.result().authorized_operations) for name, future in futures.items()}

    def group_operations(self, group_id: str) -> Operations:
        """Return what this user may do with a consumer group."""
        connection = self._connection
        found: dict[str, Operations] = {}
        with connection.translated(may_be_denied=True):
            futures: Mapping[str, Any] = connection.client.describe_consumer_groups(
                [group_id], include_authorized_operations=True, request_timeout=connection.answer_seconds
            )
            found[group_id] = _names(futures[group_id].result().authorized_operations)
        return found.get(group_id, frozenset())

    def try_transactions(self) -> None:
        """Open a transactional producer under a name that no worker has, which fences nobody."""
        name = f"{transactional_id(self._settings)}-doctor"
        producer = open_producer(worker_producer_config(self._settings) | {"transactional.id": name})
        try:
            producer.init_transactions(self._connection.answer_seconds)
        except KafkaException as error:
            reason = error.args[0].str()
            mend = (
                f"grant Write on transactional ids that begin with {name.removesuffix('-doctor')}, or see that "
                "transaction.state.log.replication.factor of the brokers is not above their number"
            )
            raise Unavailable(f"no transaction can be begun ({reason}); {mend}") from error


def _names(operations: Iterable[AclOperation] | None) -> Operations:
    return None if operations is None else frozenset(operation.name for operation in operations)
