"""Writes to the changelog in transactions while no worker runs."""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from consumer.maintenance.repartition import Entry
from runtime.config.settings import Settings
from runtime.errors import LinkActionsError, Unavailable
from runtime.kafka.client import (
    open_consumer,
    open_producer,
    transactional_id_prefix,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.kafka.errors import FENCED, fatal_error, first_failure, kafka_error

_CALL_SECONDS = 30.0


class ChangelogWriter:
    """Writes to one topic in transactions, and commits offsets of the group in them. A second one fences the first."""

    def __init__(self, settings: Settings, topic: str) -> None:
        name = f"{transactional_id_prefix(settings.kafka)}repartition"
        self._settings = settings
        self._topic = topic
        self._producer = open_producer(worker_producer_config(settings.kafka) | {"transactional.id": name})

    def __enter__(self) -> Self:
        try:
            self._producer.init_transactions(_CALL_SECONDS)
        except KafkaException as error:
            raise _interrupted(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._producer.purge()

    def write(self, entries: Iterable[Entry]) -> None:
        """Write all entries or none. Raises Unavailable if the outcome is unknown; the caller may write them again."""
        try:
            self._producer.begin_transaction()
            for partition, key, value in entries:
                self._produce(partition, key, value)
            self._producer.commit_transaction(_CALL_SECONDS)
        except (KafkaException, SystemError) as error:
            raise _interrupted(first_failure(self._producer, error)) from error

    def settle(self, clicks: str, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Write each checkpoint and commit its offset of the clicks, all or none. Raises Unavailable.

        The broker refuses the offsets while the group has a member.
        """
        with closing(open_consumer(worker_consumer_config(self._settings.kafka))) as outsider:
            try:
                self._producer.begin_transaction()
                for partition, checkpoint in checkpoints.items():
                    self._produce(partition, CHECKPOINT_KEY, checkpoint.encode())
                offsets = [TopicPartition(clicks, p, checkpoint.offset or 0) for p, checkpoint in checkpoints.items()]
                self._producer.flush(_CALL_SECONDS)
                self._producer.send_offsets_to_transaction(offsets, outsider.consumer_group_metadata(), _CALL_SECONDS)
                self._producer.commit_transaction(_CALL_SECONDS)
            except (KafkaException, SystemError) as error:
                failure = _interrupted(first_failure(self._producer, error))
                with suppress(KafkaException):
                    self._producer.abort_transaction(_CALL_SECONDS)
                raise failure from error

    def _produce(self, partition: int, key: bytes, value: bytes | None) -> None:
        deadline = time.monotonic() + _CALL_SECONDS
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                # The partition has just been created: the library finds it in fresh metadata.
                unknown = kafka_error(error).code() == KafkaError._UNKNOWN_PARTITION  # noqa: SLF001 - its public name
                if not unknown or time.monotonic() > deadline:
                    raise
                self._producer.list_topics(self._topic, timeout=_CALL_SECONDS)
                self._producer.poll(0.1)
            else:
                return


def _interrupted(raised: BaseException) -> LinkActionsError:
    error = kafka_error(raised)
    if error.code() in FENCED:
        return Unavailable(
            "The changelog cannot be written: another link-actions state repartition of this group is running;"
            " let it finish"
        )
    return fatal_error(error) or Unavailable(
        f"The changelog cannot be written ({error.str()}); run the command again, it continues where it stopped"
    )
