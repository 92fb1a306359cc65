"""What a running Kafka is to whoever uses it, and how to tell that it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

ANSWER_SECONDS = 180.0
"""It takes some five seconds, on a machine that has much else to do a minute."""


class KafkaMissing(Exception):
    """A Kafka is not to be had in this way; the message, half a sentence, says what was missing."""


class Broker(Protocol):
    """A Kafka that can be used now."""

    @property
    def bootstrap_servers(self) -> str:
        """Where a client connects."""

    @property
    def log_path(self) -> Path | None:
        """Where the broker's own log is, or will be once it has stopped; None when it is not ours to read."""

    def describe(self) -> str:
        """Say in one line which Kafka this is."""

    def stop(self) -> None:
        """End it if we started it; doing so twice is harmless."""


@dataclass(frozen=True)
class Kafka:
    """A Kafka that somebody else runs, and that is never stopped from here."""

    bootstrap_servers: str
    source: str
    log_path: Path | None = None

    def describe(self) -> str:
        """Say where it is and who named it."""
        return f"Kafka at {self.bootstrap_servers}, named by {self.source}"

    def stop(self) -> None:
        """Leave it running."""


def wait_until_answers(
    bootstrap_servers: str, *, is_alive: Callable[[], bool], timeout_seconds: float = ANSWER_SECONDS
) -> None:
    """Return once the broker tells its metadata and every partition has a leader; raises KafkaMissing."""
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
