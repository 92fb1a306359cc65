"""The minimal ACLs of each role. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.admin.topics import topic_specs
from runtime.kafka.client import authors_transactional_id, transactional_id_prefix
from runtime.kafka.errors import Resource
from runtime.kafka.shell_commands import SERVERS
from schemas.topics import TopicNames


class Role(StrEnum):
    """The users of an installation, each with its own credentials."""

    WORKER = "worker"
    EDGE = "edge"
    SCRIPTS = "scripts"
    AUTHOR = "author"
    SUBSCRIBER = "subscriber"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Operation(StrEnum):
    """The operation of an ACL, as kafka-acls.sh names it. Read and Write include Describe."""

    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True, slots=True)
class Acl:
    """Permission for one operation on a resource, or on all resources whose names begin with a prefix."""

    operation: Operation
    resource: Resource
    name: str
    is_prefix: bool = False

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}" + ("*" if self.is_prefix else "")

    def arguments(self, principal: str) -> list[str]:
        """Return the arguments of kafka-acls.sh that grant it."""
        pattern = ["--resource-pattern-type", "prefixed"] if self.is_prefix else []
        about = [f"--{self.resource}", self.name]
        return ["--add", "--allow-principal", principal, "--operation", self.operation.value, *about, *pattern]


def acls_of(
    role: Role, settings: KafkaSettings, names: TopicNames, *, subscriber_group: str | None = None
) -> tuple[Acl, ...]:
    """Return the ACLs of a role for these topics; a subscriber in a consumer group needs one for the group, too."""
    found: tuple[Acl, ...]
    match role:
        case Role.WORKER:
            found = _worker_acls(settings, names)
        case Role.EDGE:
            found = (_write(names.clicks), _write(names.forms), _read(names.definitions), _read(names.return_urls))
        case Role.SCRIPTS:
            found = _script_worker_acls(settings, names)
        case Role.AUTHOR:
            author = Acl(Operation.WRITE, Resource.TRANSACTIONAL_ID, authors_transactional_id(settings))
            topics = (names.definitions, names.script_definitions)
            found = (*map(_read, topics), *map(_write, topics), author)
        case Role.SUBSCRIBER:
            group = (Acl(Operation.READ, Resource.GROUP, subscriber_group),) if subscriber_group else ()
            found = (*map(_read, names.updates.values()), *group)
        case Role.OPERATOR:
            # Write on dead letters, because each replay adds a note there.
            found = (_read(names.dead_letters), _write(names.dead_letters), _write(names.clicks))
        case Role.ADMINISTRATOR:
            operations = (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
            found = tuple(Acl(each, Resource.TOPIC, spec.name) for spec in topic_specs(names) for each in operations)
    return found


def missing_acls_error(acls: Iterable[Acl]) -> Unavailable:
    """Return the error that names the missing ACLs and the commands that grant them."""
    missing = list(acls)
    grants = "; ".join(" ".join([f"kafka-acls.sh {SERVERS}", *each.arguments("User:NAME")]) for each in missing)
    named = ", ".join(map(str, missing))
    return Unavailable(f"The broker refuses: this user may not {named}; grant it: {grants}")


def _worker_acls(settings: KafkaSettings, names: TopicNames) -> tuple[Acl, ...]:
    # Write on the clicks, because those in a wrong partition are rerouted.
    return (
        _read(names.clicks),
        _write(names.clicks),
        _read(names.definitions),
        *map(_write, names.updates.values()),
        _write(names.hits),
        _write(names.dead_letters),
        _read(names.changelog),
        _write(names.changelog),
        Acl(Operation.READ, Resource.GROUP, names.group_id),
        Acl(Operation.WRITE, Resource.TRANSACTIONAL_ID, transactional_id_prefix(settings), is_prefix=True),
    )


def _script_worker_acls(settings: KafkaSettings, names: TopicNames) -> tuple[Acl, ...]:
    own = settings.of_scripts
    return (
        _read(names.update("script")),
        _read(names.script_definitions),
        _read(names.hits),
        *(_write(topic) for kind, topic in names.updates.items() if kind != "script"),
        _write(names.script_runs),
        _write(names.return_urls),
        _write(names.script_dead_letters),
        Acl(Operation.READ, Resource.GROUP, own.group_id),
        Acl(Operation.WRITE, Resource.TRANSACTIONAL_ID, transactional_id_prefix(own), is_prefix=True),
    )


def _read(topic: str) -> Acl:
    return Acl(Operation.READ, Resource.TOPIC, topic)


def _write(topic: str) -> Acl:
    return Acl(Operation.WRITE, Resource.TOPIC, topic)
