"""Asks a broker which ACLs its user lacks, so that an error can name them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Acl, missing_acls_error
from runtime.kafka.admin.connection import DENIED, UNREACHABLE, Connection
from runtime.kafka.errors import Forbidden, Resource

Operations = frozenset[str] | None
"""Names of the operations that this user may perform; None if the broker does not say, or the topic is missing."""


class Permission:
    """Asks what the user of this connection may do. Methods raise Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def missing_acls(self, acls: Iterable[Acl]) -> tuple[Acl, ...]:
        """Return which of the ACLs this user lacks, except for transactional ids, which a broker does not report."""
        wanted = list(acls)
        topics = self.of_topics({each.name for each in wanted if each.resource is Resource.TOPIC})
        groups = self.of_groups({each.name for each in wanted if each.resource is Resource.GROUP})
        have = {Resource.TOPIC: topics, Resource.GROUP: groups}
        return tuple(each for each in wanted if not _has(have.get(each.resource, {}).get(each.name), each))

    def of_topics(self, names: Iterable[str]) -> Mapping[str, Operations]:
        """Return the user's operations on each topic."""
        topics = TopicCollection(sorted(names))
        return self._answers(lambda **options: self._connection.client.describe_topics(topics, **options))

    def of_groups(self, names: Iterable[str]) -> Mapping[str, Operations]:
        """Return the user's operations on each consumer group."""
        groups = sorted(names)
        if not groups:
            return {}
        return self._answers(lambda **options: self._connection.client.describe_consumer_groups(groups, **options))

    def _answers(self, ask: Any) -> Mapping[str, Operations]:
        """Ask, and return the operations by name; if the request itself is denied, the user may do nothing."""
        futures = ask(include_authorized_operations=True, request_timeout=self._connection.answer_seconds)
        return {name: self._answer(future) for name, future in futures.items()}

    def _answer(self, future: Any) -> Operations:
        try:
            return _names(future.result().authorized_operations)
        except KafkaException as raised:
            error: KafkaError = raised.args[0]
            if error.name() in DENIED:
                return frozenset()
            if error.name() in UNREACHABLE:
                raise self._connection.unavailable(error) from raised
            # A missing topic, or a coordinator that has just started: no answer is no denial.
            return None


def require_acls(settings: KafkaSettings, acls: Iterable[Acl]) -> None:
    """Raise Unavailable, which names the missing ACLs, if the user lacks any."""
    missing = Permission(Connection(settings)).missing_acls(acls)
    if missing:
        raise missing_acls_error(missing)


@contextmanager
def explaining_denials(settings: KafkaSettings, acls: Iterable[Acl]) -> Iterator[None]:
    """Require the ACLs at the start, and name the missing one if the broker refuses something later."""
    wanted = tuple(acls)
    require_acls(settings, wanted)
    try:
        yield
    except Forbidden as error:
        raise _explained(error, settings, wanted) from error


def _explained(error: Forbidden, settings: KafkaSettings, acls: tuple[Acl, ...]) -> Unavailable:
    missing = Permission(Connection(settings)).missing_acls(acls)
    if not missing and error.resource is Resource.TRANSACTIONAL_ID:
        missing = tuple(each for each in acls if each.resource is error.resource)
    return missing_acls_error(missing) if missing else error


def _has(operations: Operations, acl: Acl) -> bool:
    return operations is None or acl.operation.name in operations


def _names(operations: Iterable[AclOperation] | None) -> Operations:
    return None if operations is None else frozenset(operation.name for operation in operations)
