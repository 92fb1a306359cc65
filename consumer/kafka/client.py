"""How each Kafka client is configured: pure functions of the settings, and the opening that translates errors."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from consumer.config.kafka_settings import KafkaSettings
from consumer.errors import UsageError
from consumer.monitoring.logs import CLIENT_LIBRARY

ClientConfig = dict[str, Any]
Client = TypeVar("Client")

DEAD_LETTER_ROOM = 100_000
"""Bytes that a dead letter may be larger than the click it holds."""

DEFAULT_CLICK_BYTES = 1_048_588
"""Kafka's default for `max.message.bytes`."""

DEAD_LETTER_BYTES = DEFAULT_CLICK_BYTES + DEAD_LETTER_ROOM
"""Largest record a producer of ours sends: Kafka's default for a click, and room for the headers of a dead
letter. The topic of dead letters is created with it; on every other topic the broker's own limit is lower and holds."""

CLASSIC_ONLY = ("heartbeat.interval.ms", "partition.assignment.strategy", "session.timeout.ms")
"""What the broker decides under `group.protocol=consumer` (KIP-848); the library refuses to start with them."""

TELLING = frozenset({"_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_SSL"})
"""Names of the errors that somebody may have to mend; any other is a lost connection, mostly."""


class Isolation(StrEnum):
    """Whether a reader sees records of open and aborted transactions."""

    READ_COMMITTED = "read_committed"
    READ_UNCOMMITTED = "read_uncommitted"


def admin_config(settings: KafkaSettings) -> ClientConfig:
    """Configure a client that asks about topics and makes them."""
    return _merged(settings, "admin", defaults={}, fixed={})


def reader_config(settings: KafkaSettings, isolation: Isolation = Isolation.READ_COMMITTED) -> ClientConfig:
    """Configure a consumer that is given its partitions by `assign` and never commits.

    The library wants a group id even then; it is one of its own, so that the worker's group is never touched.
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
    """Configure the consumer of the loop: a member of the group that commits through the transaction only.

    Group protocol classic and cooperative-sticky, unless the file of client properties chooses another.
    """
    defaults = _QUEUE_LIMITS | {
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        # How soon a member hears that another one came or went; each rebalance takes two such hearings.
        "heartbeat.interval.ms": 500,
        "max.poll.interval.ms": 60_000,
        # At the end of the topic a fetch in flight holds up whatever is asked next, a rebalance's offsets too.
        "fetch.wait.max.ms": 100,
    }
    fixed = {
        "group.id": settings.group_id,
        # Only under read_committed does the library ask for stable offsets (KIP-447).
        "isolation.level": Isolation.READ_COMMITTED.value,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Never earliest or latest: where clicks were deleted before they were read, either would go on without a word.
        "auto.offset.reset": "error",
    }
    return _merged(settings, "consumer", defaults=defaults, fixed=fixed)


def static_membership(settings: KafkaSettings) -> ClientConfig:
    """Return what lets a worker that comes back within the session have its partitions at once, without a rebalance.

    Nothing under `group.protocol=consumer`: there a static member cannot leave for good, and its partitions would wait
    for the broker's 45 seconds.
    """
    file = settings.properties_for("consumer")
    return {} if file.get("group.protocol") == "consumer" else {"group.instance.id": settings.instance_id}


def worker_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the transactional producer of the loop; its queue holds the largest batch."""
    defaults = _PRODUCER_DEFAULTS | {
        # A dead producer holds up every read_committed reader this long.
        "transaction.timeout.ms": 15_000,
        # The library waits this long between most transactional calls that met another one's end.
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
    """Configure the transactional producer of an author; all authors fence each other."""
    defaults = _PRODUCER_DEFAULTS | {
        # After so long the broker ends the transaction of an author who died; the next author ends it at once.
        "transaction.timeout.ms": 60_000,
        "retry.backoff.ms": 20,
    }
    fixed = _PRODUCER_FIXED | {"transactional.id": authors_transactional_id(settings)}
    return _merged(settings, "producer", defaults=defaults, fixed=fixed)


def transactional_id(settings: KafkaSettings) -> str:
    """Return the name under which this instance is fenced: the same after each restart, no other instance's."""
    return f"{transactional_id_prefix(settings)}worker/{settings.instance_id}"


def transactional_id_prefix(settings: KafkaSettings) -> str:
    """Return what all transactional ids of the group begin with.

    Neither a group nor an instance has a slash. With a dash, the instance `eu-1` of the group `link` and the instance
    `1` of the group `link-eu` were one, and fenced each other.
    """
    return f"{settings.topic_prefix}{settings.group_id}/"


def authors_transactional_id(settings: KafkaSettings) -> str:
    """Return the name that all authors share, so that one who publishes fences those before."""
    return f"{settings.topic_prefix}link-definitions"


def open_admin(config: ClientConfig) -> AdminClient:
    """Open an admin client; raises UsageError where a property is wrong."""
    return _opened(AdminClient, config)


def open_consumer(config: ClientConfig) -> Consumer:
    """Open a consumer; raises UsageError where a property is wrong."""
    return _opened(Consumer, config)


def open_producer(config: ClientConfig) -> Producer:
    """Open a producer; raises UsageError where a property is wrong."""
    return _opened(Producer, config)


def note_error(error: KafkaError) -> None:
    """Log what the library tells by itself; most of it is a lost connection, which it has logged and makes again.

    It never raises: an exception in a callback loses the batch that is being collected.
    """
    level = logging.WARNING if error.name() in TELLING else logging.INFO
    level = logging.ERROR if error.fatal() else level
    logging.getLogger(CLIENT_LIBRARY).log(level, "%s: %s", error.name(), error.str())


_QUEUE_LIMITS: ClientConfig = {
    # Part of the budget in docs/operations.md; by the library's default each consumer may keep 64 MB and fetch 50 at a
    # time. Twice and four times as much took 23 MiB more and not less CPU.
    "queued.max.messages.kbytes": 8_192,
    "fetch.max.bytes": 2_097_152,
    # The default of one second makes throughput a saw-tooth once a queue limit is met.
    "fetch.queue.backoff.ms": 50,
}
_READER_DEFAULTS: ClientConfig = _QUEUE_LIMITS | {
    # A partition that is read from now on waits for the fetch in flight: half a second each, by the library's default.
    "fetch.wait.max.ms": 50,
}
_PRODUCER_DEFAULTS: ClientConfig = {
    "linger.ms": 5,
    "compression.type": "lz4",
    "message.max.bytes": DEAD_LETTER_BYTES,
}
_PRODUCER_FIXED: ClientConfig = {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"}


def _merged(settings: KafkaSettings, role: str, *, defaults: ClientConfig, fixed: ClientConfig) -> ClientConfig:
    """Put the file's properties over our defaults, and what our guarantees depend on over both."""
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
        raise UsageError(f"The Kafka library refuses a property: {reason}; mend LINK_ACTIONS_KAFKA_CONFIG") from error
