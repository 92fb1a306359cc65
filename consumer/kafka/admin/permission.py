"""Asks a broker which rights its user lacks, so that a refusal can name them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation

from consumer.config.kafka_settings import KafkaSettings
from consumer.errors import Unavailable
from consumer.kafka.admin.acls import Acl, missing_acls
from consumer.kafka.admin.connection import AWAY, DENIED, Connection
from consumer.kafka.errors import Forbidden, Resource

Operations = frozenset[str] | None
"""Names of what this user may do; None where the broker does not tell, or the topic is not there."""


class Permission:
    """Knows what the user of this connection may do. Methods raise Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lacking(self, rights: Iterable[Acl]) -> tuple[Acl, ...]:
        """Return those of the rights that this user lacks, as far as a broker tells: not of transactional ids."""
        wanted = list(rights)
        topics = self.of_topics({right.name for right in wanted if right.resource is Resource.TOPIC})
        groups = self.of_groups({right.name for right in wanted if right.resource is Resource.GROUP})
        have = {Resource.TOPIC: topics, Resource.GROUP: groups}
        return tuple(right for right in wanted if not _has(have.get(right.resource, {}).get(right.name), right))

    def of_topics(self, names: Iterable[str]) -> Mapping[str, Operations]:
        """Return what this user may do with each of the topics."""
        topics = TopicCollection(sorted(names))
        return self._answers(lambda **options: self._connection.client.describe_topics(topics, **options))

    def of_groups(self, names: Iterable[str]) -> Mapping[str, Operations]:
        """Return what this user may do with each of the consumer groups."""
        groups = sorted(names)
        if not groups:
            return {}
        return self._answers(lambda **options: self._connection.client.describe_consumer_groups(groups, **options))

    def _answers(self, ask: Any) -> Mapping[str, Operations]:
        """Ask, and return the answers by name; where even the question is denied, the user may do nothing."""
        futures = ask(include_authorized_operations=True, request_timeout=self._connection.answer_seconds)
        return {name: self._answer(future) for name, future in futures.items()}

    def _answer(self, future: Any) -> Operations:
        try:
            return _names(future.result().authorized_operations)
        except KafkaException as raised:
            error: KafkaError = raised.args[0]
            if error.name() in DENIED:
                return frozenset()
            if error.name() in AWAY:
                raise self._connection.unavailable(error) from raised
            # No such topic, a group's coordinator that has just begun: what cannot be answered yet denies nothing.
            return None


def require_acls(settings: KafkaSettings, rights: Iterable[Acl]) -> None:
    """Raise Unavailable, which names them, where rights are missing."""
    lacking = Permission(Connection(settings)).lacking(rights)
    if lacking:
        raise missing_acls(lacking)


@contextmanager
def explaining_denials(settings: KafkaSettings, rights: Iterable[Acl]) -> Iterator[None]:
    """Require the rights at the start, and name the one that is missing where the broker refuses something later."""
    wanted = tuple(rights)
    require_acls(settings, wanted)
    try:
        yield
    except Forbidden as error:
        raise _named(error, settings, wanted) from error


def _named(error: Forbidden, settings: KafkaSettings, rights: tuple[Acl, ...]) -> Unavailable:
    lacking = Permission(Connection(settings)).lacking(rights)
    if not lacking and error.resource is Resource.TRANSACTIONAL_ID:
        lacking = tuple(right for right in rights if right.resource is error.resource)
    return missing_acls(lacking) if lacking else error


def _has(operations: Operations, right: Acl) -> bool:
    return operations is None or right.operation.name in operations


def _names(operations: Iterable[AclOperation] | None) -> Operations:
    return None if operations is None else frozenset(operation.name for operation in operations)
