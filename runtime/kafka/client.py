"""Configures each Kafka client from the settings, and opens it with errors translated."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import UsageError
from runtime.monitoring.logs import CLIENT_LIBRARY

ClientConfig = dict[str, Any]
Client = TypeVar("Client")

DEAD_LETTER_ROOM = 100_000
"""Bytes by which a dead letter may exceed the click in it."""

DEFAULT_CLICK_BYTES = 1_048_588
"""Kafka's default for `max.message.bytes`."""

DEAD_LETTER_BYTES = DEFAULT_CLICK_BYTES + DEAD_LETTER_ROOM
"""Largest record that a producer sends: Kafka's default for a click plus the headers of a dead letter. The dead letter
topic is created with this limit; on every other topic the broker's limit is lower and applies."""

CLASSIC_ONLY = ("heartbeat.interval.ms", "partition.assignment.strategy", "session.timeout.ms")
"""Properties that the library refuses under `group.protocol=consumer` (KIP-848), where the broker decides them."""

NOTABLE = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_SSL"})
"""Names of errors that may need an operator; most others are lost connections, which the library restores."""


class Isolation(StrEnum):
    """The isolation level of a reader: without or with records of open and aborted transactions."""

    READ_COMMITTED = "read_committed"
    READ_UNCOMMITTED = "read_uncommitted"


def admin_config(settings: KafkaSettings) -> ClientConfig:
    """Configure an admin client."""
    return _merged(settings, "admin", defaults={}, fixed={})


def reader_config(settings: KafkaSettings, isolation: Isolation = Isolation.READ_COMMITTED) -> ClientConfig:
    """Configure a consumer that assigns its own partitions and never commits.

    The library requires a group id all the same; a separate one keeps it out of the worker's group.
    """
    fixed = {
        "group.id": f"{settings.group_id}-reader",
        "isolation.level": isolation.value,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
    }
    return _merged(settings, "consumer", defaults=_READER_DEFAULTS, fixed=fixed)


def producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure an idempotent producer without transactions."""
    return _merged(settings, "producer", defaults=_PRODUCER_DEFAULTS, fixed=_PRODUCER_FIXED)


def worker_consumer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the loop's consumer: a member of the group that commits in transactions only.

    The protocol is classic with cooperative-sticky, unless the file of client properties chooses another.
    """
    defaults = _QUEUE_LIMITS | {
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        # A member learns of a rebalance at its next heartbeat; each rebalance takes two.
        "heartbeat.interval.ms": 500,
        "max.poll.interval.ms": 60_000,
        # At the end of the topic a fetch in flight delays the next request, also for the offsets of a rebalance.
        "fetch.wait.max.ms": 100,
    }
    fixed = {
        "group.id": settings.group_id,
        # Only under read_committed does the library ask for stable offsets (KIP-447).
        "isolation.level": Isolation.READ_COMMITTED.value,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Never earliest or latest: if clicks were deleted before they were read, either would silently skip them.
        "auto.offset.reset": "error",
    }
    return _merged(settings, "consumer", defaults=defaults, fixed=fixed)


def static_membership(settings: KafkaSettings) -> ClientConfig:
    """Return the property that lets a worker restart within its session without a rebalance.

    Return nothing under `group.protocol=consumer`: a static member cannot leave permanently there, so its
    partitions would wait for the broker's session timeout of 45 seconds.
    """
    file = settings.properties_for("consumer")
    return {} if file.get("group.protocol") == "consumer" else {"group.instance.id": settings.instance_id}


def worker_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the loop's transactional producer; its queue holds the largest batch."""
    defaults = _PRODUCER_DEFAULTS | {
        # A dead producer blocks every read_committed reader for this long.
        "transaction.timeout.ms": 15_000,
        # The library's pause before it retries most transactional calls, such as one during the end of a transaction.
        "retry.backoff.ms": 20,
        # An abandoned call (`transactional_producer.py`) ends only when a connection closes, so idle connections of a
        # replaced producer must close. Not shorter than one transactional call may take.
        "connections.max.idle.ms": 10_000,
        # The library then asks for the coordinator, at most once per second, but only while another connection is up.
        # Idle ones close together, so this keeps one busy.
        "topic.metadata.refresh.interval.ms": 5_000,
        # The library's own default, which would otherwise become three times the above: metadata outlives an outage.
        "metadata.max.age.ms": 900_000,
        # A missing topic must be reported within one transactional call, or it looks like a lost broker.
        "topic.metadata.propagation.max.ms": 5_000,
        "queue.buffering.max.messages": 500_000,
        "queue.buffering.max.kbytes": 131_072,
    }
    fixed = _PRODUCER_FIXED | {"transactional.id": transactional_id(settings)}
    return _merged(settings, "producer", defaults=defaults, fixed=fixed)


def author_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the transactional producer that publishes links; all authors fence each other."""
    defaults = _PRODUCER_DEFAULTS | {
        # The broker aborts the transaction of a dead author after this time; the next author aborts it at once.
        "transaction.timeout.ms": 60_000,
        "retry.backoff.ms": 20,
    }
    fixed = _PRODUCER_FIXED | {"transactional.id": authors_transactional_id(settings)}
    return _merged(settings, "producer", defaults=defaults, fixed=fixed)


def transactional_id(settings: KafkaSettings) -> str:
    """Return the transactional id of this instance: the same after each restart, and unique in the group."""
    return f"{transactional_id_prefix(settings)}worker/{settings.instance_id}"


def transactional_id_prefix(settings: KafkaSettings) -> str:
    """Return the prefix of all transactional ids of the group.

    Group and instance ids contain no slash. With a dash, instance `eu-1` of group `link` and instance `1` of group
    `link-eu` would share an id and fence each other.
    """
    return f"{settings.topic_prefix}{settings.group_id}/"


def authors_transactional_id(settings: KafkaSettings) -> str:
    """Return the transactional id that all authors share, so that each fences the one before."""
    return f"{settings.topic_prefix}link-definitions"


def open_admin(config: ClientConfig) -> AdminClient:
    """Open an admin client. Raises UsageError if a property is wrong."""
    return _opened(AdminClient, config)


def open_consumer(config: ClientConfig) -> Consumer:
    """Open a consumer. Raises UsageError if a property is wrong."""
    return _opened(Consumer, config)


def open_producer(config: ClientConfig) -> Producer:
    """Open a producer. Raises UsageError if a property is wrong."""
    return _opened(Producer, config)


def note_error(error: KafkaError) -> None:
    """Log an error that the library reports to its error callback; most are lost connections, which it restores.

    It never raises: an exception in a callback would lose the batch that is being collected.
    """
    level = logging.WARNING if error.name() in NOTABLE else logging.INFO
    level = logging.ERROR if error.fatal() else level
    logging.getLogger(CLIENT_LIBRARY).log(level, "%s: %s", error.name(), error.str())


def note_log(level: int, facility: str, text: str) -> None:
    """Log a line of the library, as `confluent_kafka` does; `level` is one of syslog's."""
    logging.getLogger(CLIENT_LIBRARY).log(_LEVELS.get(level, logging.CRITICAL), "%s %s", facility, text)


_LEVELS = {3: logging.ERROR, 4: logging.WARNING, 5: logging.INFO, 6: logging.INFO, 7: logging.DEBUG}
_QUEUE_LIMITS: ClientConfig = {
    # Part of the memory budget in docs/operations.md; by default each consumer may keep 64 MB and fetch 50 MB at once.
    # Twice and four times these limits took 23 MiB more and no less CPU.
    "queued.max.messages.kbytes": 8_192,
    "fetch.max.bytes": 2_097_152,
    # The default of one second makes the throughput oscillate once a queue limit is reached.
    "fetch.queue.backoff.ms": 50,
}
_READER_DEFAULTS: ClientConfig = _QUEUE_LIMITS | {
    # A newly assigned partition waits for the fetch in flight: half a second each by default.
    "fetch.wait.max.ms": 50,
}
_PRODUCER_DEFAULTS: ClientConfig = {
    "linger.ms": 5,
    "compression.type": "lz4",
    "message.max.bytes": DEAD_LETTER_BYTES,
}
_PRODUCER_FIXED: ClientConfig = {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"}


def _merged(settings: KafkaSettings, role: str, *, defaults: ClientConfig, fixed: ClientConfig) -> ClientConfig:
    """Merge in this order: defaults, properties of the file, and the fixed ones that our guarantees depend on."""
    common = {"client.id": f"{settings.group_id}-{settings.instance_id}"}
    file = settings.properties_for(role)
    always = {
        "bootstrap.servers": settings.bootstrap_servers,
        "logger": logging.getLogger(CLIENT_LIBRARY),
        "error_cb": note_error,
    }
    config = common | defaults | file | fixed | always
    if config.get("group.protocol") == "consumer":
        return {name: value for name, value in config.items() if name not in CLASSIC_ONLY}
    return config


def _opened(client: Callable[[ClientConfig], Client], config: ClientConfig) -> Client:
    try:
        return client(config)
    except KafkaException as error:
        reason = error.args[0].str()
        raise UsageError(f"The Kafka library refuses a property: {reason}; fix LINK_ACTIONS_KAFKA_CONFIG") from error
