"""Requests to a broker that only `doctor` makes."""

from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.admin.connection import Connection
from runtime.kafka.client import open_producer, transactional_id_prefix, worker_producer_config
from runtime.kafka.errors import Forbidden, fatal_error


class KafkaProbe:
    """Asks for broker settings and tries a transactional producer. Methods raise Unavailable."""

    def __init__(self, connection: Connection, settings: KafkaSettings) -> None:
        self._connection = connection
        self._settings = settings

    def broker_config(self, broker: int) -> Mapping[str, str | None]:
        """Return the settings of one broker; empty if this user may not see them."""
        connection = self._connection
        resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
        config: dict[str, str | None] = {}
        with connection.translated(may_be_denied=True):
            future = connection.client.describe_configs([resource], request_timeout=connection.answer_seconds)[resource]
            config.update({name: entry.value for name, entry in future.result().items()})
        return config

    def try_transactions(self) -> None:
        """Open a transactional producer under an id that no worker has, so that it fences none."""
        prefix = transactional_id_prefix(self._settings)
        name = f"{prefix}doctor/{self._settings.instance_id}"
        producer = open_producer(worker_producer_config(self._settings) | {"transactional.id": name})
        try:
            producer.init_transactions(self._connection.answer_seconds)
        except KafkaException as error:
            final = fatal_error(error.args[0])
            if final is not None and not isinstance(final, Forbidden):
                raise Unavailable(str(final)) from error
            reason = error.args[0].str()
            advice = (
                f"grant Write on transactional ids that begin with {prefix}, or lower "
                "transaction.state.log.replication.factor to the number of brokers"
            )
            raise Unavailable(f"no transaction can be started ({reason}); {advice}") from error
