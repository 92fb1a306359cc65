"""The membership of one consumer in its group on the in-memory Kafka."""

from collections.abc import Collection

from runtime.fake_kafka.cluster import FakeCluster, UnknownTopic
from runtime.fake_kafka.errors import missing, require_logs
from runtime.fake_kafka.group import Group, UnknownMember
from runtime.fake_kafka.network import Network
from runtime.ports import AssignmentChange


class GroupMembership:
    """Follows the group like the client library: revokes before it assigns, and assigns paused, from the beginning."""

    def __init__(
        self, cluster: FakeCluster, network: Network, topic: str, *, group_id: str, transactional_id: str
    ) -> None:
        """Join the group. Raises Unavailable without the topic."""
        self._cluster = cluster
        self._network = network
        self._topic = topic
        self._group_id = group_id
        self._transactional_id = transactional_id
        self.positions: dict[int, int] = {}
        self.paused: set[int] = set()
        self.eof_offsets: dict[int, int] = {}
        self._assigned: set[int] = set()
        self._revoked: set[int] = set()
        self._is_member = False
        with cluster.lock:
            self.member_id = self._join()

    @property
    def is_member(self) -> bool:
        """True if this worker is in the group, as far as it knows."""
        return self._is_member

    def group(self) -> Group:
        """Return the group. Raises Unavailable without the topic."""
        try:
            return self._cluster.group(self._group_id, self._topic)
        except UnknownTopic as error:
            raise missing(error) from error

    def follow(self) -> None:
        """Revoke and assign partitions; a member that the group has removed loses all and joins again."""
        while (partitions := self._sync()) is None:
            self._is_member = False
            self._revoke(set(self.positions))
            self.member_id = self._network.ask("JoinGroup", self._join)
        self._revoke(set(self.positions) - set(partitions))
        self._assign([partition for partition in partitions if partition not in self.positions])
        self._is_member = True

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        change = AssignmentChange(frozenset(self._revoked), frozenset(self._assigned))
        self._revoked, self._assigned = set(), set()
        return change

    def leave(self) -> None:
        """Leave the group. Raises Lost."""
        self._network.ask("LeaveGroup", lambda: self.group().leave(self.member_id))

    def first_offset(self, partition: int) -> int:
        """Return the first offset of a partition, without a request."""
        with self._cluster.lock:
            return require_logs(self._cluster, self._topic)[partition].start

    def _join(self) -> str:
        return self.group().join(self._transactional_id)

    def _sync(self) -> Collection[int] | None:
        """Return the assigned partitions; None if the group does not know the member any more."""
        owned = tuple(self.positions)
        try:
            return self._network.ask("SyncGroup", lambda: self.group().sync(self.member_id, owned)).partitions
        except UnknownMember:
            return None

    def _revoke(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            del self.positions[partition]
            self.paused.discard(partition)
            self.eof_offsets.pop(partition, None)
        self._assigned.difference_update(partitions)
        self._revoked.update(partitions)

    def _assign(self, partitions: Collection[int]) -> None:
        self.positions.update({partition: self.first_offset(partition) for partition in partitions})
        self.paused.update(partitions)
        self._assigned.update(partitions)
