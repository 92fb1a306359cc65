"""The interface of a running Kafka, and how to wait until it answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

ANSWER_SECONDS = 180.0
"""A start takes about five seconds, and a minute on a busy machine."""


class KafkaMissing(Exception):
    """A Kafka cannot be started in this way; the message, half a sentence, says what is missing."""


class Broker(Protocol):
    """A running Kafka."""

    @property
    def bootstrap_servers(self) -> str:
        """The addresses that clients connect to."""

    @property
    def log_path(self) -> Path | None:
        """The path of the broker's log, which may exist only after it has stopped; None if we cannot read it."""

    def describe(self) -> str:
        """Return one line that says which Kafka this is."""

    def stop(self) -> None:
        """Stop it if we started it; stopping it twice is harmless."""


@dataclass(frozen=True)
class Kafka:
    """An existing Kafka, which is never stopped from here."""

    bootstrap_servers: str
    source: str
    log_path: Path | None = None

    def describe(self) -> str:
        """Return its address and the setting that names it."""
        return f"Kafka at {self.bootstrap_servers}, named by {self.source}"

    def stop(self) -> None:
        """Leave it running."""


def wait_until_answers(
    bootstrap_servers: str, *, is_alive: Callable[[], bool], timeout_seconds: float = ANSWER_SECONDS
) -> None:
    """Wait until the broker returns its metadata and every partition has a leader. Raises KafkaMissing."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, "reconnect.backoff.max.ms": 200})
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and is_alive():
        if _answers(client):
            return
    ending = f"did not answer within {timeout_seconds:g} s" if is_alive() else "ended before it answered"
    raise KafkaMissing(f"the Kafka started at {bootstrap_servers} {ending}")


def _answers(client: AdminClient) -> bool:
    try:
        metadata = client.list_topics(timeout=1.0)
    except KafkaException:
        return False
    return bool(metadata.brokers) and _is_led(metadata)


def _is_led(metadata: ClusterMetadata) -> bool:
    return all(partition.leader >= 0 for topic in metadata.topics.values() for partition in topic.partitions.values())
