"""Error codes of Kafka that a retry does not resolve: what each means, what to do, and how the process ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from confluent_kafka import KafkaError

from runtime.config.kafka_settings import DEFAULT_GROUP_ID
from runtime.errors import FatalKafkaError, LinkActionsError, Unavailable, UsageError
from runtime.kafka.shell_commands import SERVERS

_FILE = '"$LINK_ACTIONS_KAFKA_CONFIG"'
_ADD_TO_FILE = '>> "${LINK_ACTIONS_KAFKA_CONFIG:=client.properties}"; export LINK_ACTIONS_KAFKA_CONFIG'
"""Shell code that appends a line to the file of client properties and creates the file if needed."""
_LIMITS = f"kafka-configs.sh {SERVERS} --entity-type brokers --describe --all"
_MEMBERS = (
    f'kafka-consumer-groups.sh {SERVERS} --group "${{LINK_ACTIONS_GROUP_ID:-{DEFAULT_GROUP_ID}}}"'
    " --describe --members --verbose"
)
_SAME_NAME = "another worker runs under the same LINK_ACTIONS_INSTANCE_ID"
_OWN_NAME = "give each worker its own LINK_ACTIONS_INSTANCE_ID; if each has one, start this worker again"
_AGAIN = "nothing of its open transaction is committed, so start it again"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of an error code: what happened, and what to do."""

    happened: str
    advice: str
    fate: type[LinkActionsError] = FatalKafkaError
    """The exception class, which decides the exit code."""

    def failure(self, error: KafkaError) -> LinkActionsError:
        """Return the exception for this error."""
        return self.fate(self.sentence(error))

    def sentence(self, error: KafkaError) -> str:
        """Return the message: what happened, the error's name, and what to do."""
        return f"{self.happened} ({error.name()}); {self.advice}"


_REPLACED = Meaning(
    f"The broker fenced this producer: {_SAME_NAME}, or this one was paused for longer than transaction.timeout.ms",
    _OWN_NAME,
)
_LOST_RECORDS = Meaning(
    "The broker no longer has records that this producer wrote: retention deleted them, or acknowledged data was lost",
    f"read the broker's log for the topic and partition; {_AGAIN}",
)
_TOO_OLD = Meaning(
    "The brokers do not support a feature that this client requires",
    "group.protocol=consumer needs Kafka 4.0 with group.coordinator.rebalance.protocols=classic,consumer on every"
    f" broker, and transactions need Kafka 2.5; upgrade the brokers, or remove group.protocol:"
    f" sed -i '/group.protocol/d' {_FILE}",
    UsageError,
)
_INSTANCE_IN_USE = Meaning(
    f"The group fenced this worker: {_SAME_NAME} (group.instance.id)",
    _OWN_NAME,
)

ALWAYS_FINAL: Mapping[int, Meaning] = MappingProxyType({
    KafkaError._FENCED: _REPLACED,  # noqa: SLF001 - its public name, here and below
    KafkaError.PRODUCER_FENCED: _REPLACED,
    KafkaError.INVALID_PRODUCER_EPOCH: _REPLACED,
    KafkaError.FENCED_INSTANCE_ID: _INSTANCE_IN_USE,
    KafkaError.UNRELEASED_INSTANCE_ID: _INSTANCE_IN_USE,
    KafkaError.INVALID_TRANSACTION_TIMEOUT: Meaning(
        "transaction.timeout.ms of this client is above the broker's transaction.max.timeout.ms",
        "raise transaction.max.timeout.ms in server.properties of every broker, or lower the client's:"
        f" echo producer.transaction.timeout.ms=12000 {_ADD_TO_FILE}",
        UsageError,
    ),
    KafkaError.INVALID_SESSION_TIMEOUT: Meaning(
        "session.timeout.ms of this worker is outside what the broker allows, group.min.session.timeout.ms to"
        " group.max.session.timeout.ms",
        f"see the limits with {_LIMITS} | grep session.timeout, and set a value between them:"
        f" echo consumer.session.timeout.ms=45000 {_ADD_TO_FILE}",
        UsageError,
    ),
    KafkaError.INVALID_GROUP_ID: Meaning(
        "The broker refuses the name of the group",
        f"set another one, which starts with an empty dedupe state: export LINK_ACTIONS_GROUP_ID={DEFAULT_GROUP_ID}",
        UsageError,
    ),
    KafkaError.UNSUPPORTED_ASSIGNOR: Meaning(
        "The broker does not know the assignor that group.remote.assignor names",
        f"remove it, so that the broker uses its default: sed -i '/group.remote.assignor/d' {_FILE}",
        UsageError,
    ),
    KafkaError.UNSUPPORTED_VERSION: _TOO_OLD,
    KafkaError._UNSUPPORTED_FEATURE: _TOO_OLD,  # noqa: SLF001
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT: Meaning(
        "A topic has a message format older than Kafka 0.11, which lacks transactions",
        f"see which with kafka-configs.sh {SERVERS} --entity-type topics --describe | grep message.format.version,"
        " and delete that setting",
        Unavailable,
    ),
})  # fmt: skip
"""Errors that are final however the library flags them."""

FINAL_IF_FATAL: Mapping[int, Meaning] = MappingProxyType({
    KafkaError.INVALID_TXN_STATE: Meaning(
        "The broker and this producer disagree about the state of the transaction", _AGAIN
    ),
    KafkaError.INVALID_PRODUCER_ID_MAPPING: Meaning(
        "The broker has forgotten this producer (transactional.id.expiration.ms)", _AGAIN
    ),
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER: _LOST_RECORDS,
    KafkaError.UNKNOWN_PRODUCER_ID: _LOST_RECORDS,
    KafkaError._GAPLESS_GUARANTEE: _LOST_RECORDS,  # noqa: SLF001
    KafkaError.GROUP_MAX_SIZE_REACHED: Meaning(
        "The group has as many members as the brokers allow (group.consumer.max.size)",
        f"list its members with {_MEMBERS}, stop one that is not needed, or raise the limit on every broker",
        Unavailable,
    ),
})  # fmt: skip
"""Errors that are final if the library flags them as fatal; otherwise the transaction or request is retried."""

MAY_PASS: Mapping[int, Meaning] = MappingProxyType({
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: Meaning(
        "The group refuses this worker: another program is a member with another partition.assignment.strategy or"
        " protocol",
        f"find it with {_MEMBERS} and stop it; this worker keeps retrying",
        Unavailable,
    ),
    KafkaError.GROUP_MAX_SIZE_REACHED: Meaning(
        "The group refuses this worker: it has as many members as the brokers allow (group.max.size)",
        f"list its members with {_MEMBERS}, stop one that is not needed, or raise the limit on every broker; this"
        " worker keeps retrying",
        Unavailable,
    ),
})  # fmt: skip
"""Refusals of a group that an operator may resolve while the worker waits."""
