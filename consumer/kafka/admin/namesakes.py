"""Other members of the group under this worker's instance id, looked for before it takes their place.

A worker that opens its producer fences any other one of the same name, which may be the rightful one. So it looks first
and, where another one lives, leaves. A member whose process has died looks the same for as long as its session lasts:
one that was this worker before a restart is known by its id, which lies beside the state; any other is waited for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from consumer.clock import Clock
from consumer.config.kafka_settings import KafkaSettings
from consumer.errors import FatalKafkaError
from consumer.kafka.client import worker_consumer_config
from consumer.kafka.errors import kafka_error

_LOG = structlog.get_logger(__name__)

MARGIN_SECONDS = 3.0
"""How much longer than its session a dead member may be seen."""
LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_BROKERS_SESSION_SECONDS = 45.0
"""`group.consumer.session.timeout.ms` by default: under `group.protocol=consumer` the broker decides."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """A member with this worker's name: its id, which no other member ever has, and where it connects from."""

    member_id: str
    host: str


Look = Callable[[], Sequence[Namesake]]


def require_sole(
    look: Look,
    instance_id: str,
    *,
    former_member_id: str,
    session_seconds: float,
    clock: Clock,
    is_stopping: Callable[[], bool],
) -> None:
    """Return once no other worker is in the group under this name, or this one is to stop.

    Raises FatalKafkaError where one stays beyond the session of a dead one, or joined since the first look.
    """
    first: frozenset[str] | None = None
    give_up_at = 0.0
    while others := {each.member_id: each for each in look() if each.member_id != former_member_id}:
        if first is None:
            first, give_up_at = frozenset(others), clock.monotonic() + session_seconds + MARGIN_SECONDS
            _LOG.warning("instance_id.taken", hosts=_hosts(others.values()), wait_seconds=session_seconds)
        if others.keys() - first or clock.monotonic() >= give_up_at:
            raise FatalKafkaError(
                f"Another worker with LINK_ACTIONS_INSTANCE_ID={instance_id} is in the group already, connected from"
                f" {_hosts(others.values())}; stop it, or give this one a name of its own:"
                ' export LINK_ACTIONS_INSTANCE_ID="$(hostname)"'
            )
        if is_stopping():
            return
        clock.sleep(LOOK_SECONDS)


class GroupMembers:
    """Asks the broker for the members of the worker's group that have its name."""

    def __init__(self, admin: AdminClient, settings: KafkaSettings) -> None:
        self._admin = admin
        self._group_id = settings.group_id
        self._instance_id = settings.instance_id
        # One that the file of client properties sets is shared by all workers.
        shared = "client.id" in settings.properties_for("consumer")
        self._client_id = None if shared else worker_consumer_config(settings)["client.id"]

    def namesakes(self) -> Sequence[Namesake]:
        """Return them; none where the broker does not tell, for the worker starts without."""
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
    """Return how long the group misses a member that has died."""
    config = worker_consumer_config(settings)
    if config.get("group.protocol") == "consumer":
        return _BROKERS_SESSION_SECONDS
    return float(config["session.timeout.ms"]) / 1000


def _hosts(members: Iterable[Namesake]) -> str:
    return ", ".join(sorted({member.host.removeprefix("/") for member in members}))
