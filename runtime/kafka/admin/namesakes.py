"""Finds other group members with this worker's instance id before it fences them.

Opening the producer fences any other worker with the same instance id, which may be the rightful one. So the worker
looks first and exits if another one is alive. A dead member looks alive until its session expires: the worker knows its
own former member id, which is stored beside the state, and waits for any other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from runtime.clock import Clock
from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import FatalKafkaError
from runtime.kafka.client import admin_config, open_admin, worker_consumer_config
from runtime.kafka.credentials import Credentials
from runtime.kafka.errors import kafka_error

_LOG = structlog.get_logger(__name__)

MARGIN_SECONDS = 3.0
"""Time that a dead member may be listed after its session has expired."""
POLL_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_BROKERS_SESSION_SECONDS = 45.0
"""Default of `group.consumer.session.timeout.ms`, a setting of the broker for `group.protocol=consumer`."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """A member with this worker's instance id: its unique member id, and the host it connects from."""

    member_id: str
    host: str


FindNamesakes = Callable[[], Sequence[Namesake]]


def require_sole(
    find: FindNamesakes,
    instance_id: str,
    *,
    former_member_id: str,
    session_seconds: float,
    clock: Clock,
    is_stopping: Callable[[], bool],
) -> None:
    """Wait until no other member has this instance id, or until this worker is stopping.

    Raises FatalKafkaError if one stays longer than the session of a dead member, or has joined since the first call.
    """
    first: frozenset[str] | None = None
    give_up_at = 0.0
    while others := {each.member_id: each for each in find() if each.member_id != former_member_id}:
        if first is None:
            first, give_up_at = frozenset(others), clock.monotonic() + session_seconds + MARGIN_SECONDS
            _LOG.warning("instance_id.taken", hosts=_hosts(others.values()), wait_seconds=session_seconds)
        if others.keys() - first or clock.monotonic() >= give_up_at:
            raise FatalKafkaError(
                f"Another worker with LINK_ACTIONS_INSTANCE_ID={instance_id} is in the group already, connected from"
                f" {_hosts(others.values())}; stop it, or give this one its own:"
                ' export LINK_ACTIONS_INSTANCE_ID="$(hostname)"'
            )
        if is_stopping():
            return
        clock.sleep(POLL_SECONDS)


class GroupMembers:
    """Asks the broker for the members of the group that have this worker's instance id."""

    def __init__(self, admin: AdminClient, settings: KafkaSettings) -> None:
        self._admin = admin
        self._group_id = settings.group_id
        self._instance_id = settings.instance_id
        # A client.id in the file of client properties is shared by all workers.
        shared = "client.id" in settings.properties_for("consumer")
        self._client_id = None if shared else worker_consumer_config(settings)["client.id"]

    def namesakes(self) -> Sequence[Namesake]:
        """Return these members; none if the broker does not answer, so that the worker starts all the same."""
        try:
            asked = self._admin.describe_consumer_groups([self._group_id], request_timeout=_ANSWER_SECONDS)
            members = asked[self._group_id].result().members
        except KafkaException as raised:
            _LOG.warning("group.unanswered", detail=kafka_error(raised).str())
            return ()
        return [Namesake(each.member_id, each.host) for each in members if self._is_namesake(each)]

    def _is_namesake(self, member: object) -> bool:
        static_id = getattr(member, "group_instance_id", None)
        return static_id == self._instance_id or getattr(member, "client_id", "") == self._client_id


def session_seconds(settings: KafkaSettings) -> float:
    """Return the session timeout of the group's members."""
    config = worker_consumer_config(settings)
    if config.get("group.protocol") == "consumer":
        return _BROKERS_SESSION_SECONDS
    return float(config["session.timeout.ms"]) / 1000


def _hosts(members: Iterable[Namesake]) -> str:
    return ", ".join(sorted({member.host.removeprefix("/") for member in members}))


def open_group_members(settings: KafkaSettings, credentials: Credentials) -> GroupMembers:
    """Open a client that lists the group's members."""
    admin = credentials.open("onlooker of the group", open_admin, admin_config(settings), role="admin")
    return GroupMembers(admin, settings)
