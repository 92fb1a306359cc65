"""A consumer group on one topic: its members, their partitions, and the committed offsets."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from runtime.fake_kafka.assignor import assign
from runtime.fake_kafka.refusal import Refusal


class UnknownMember(Refusal):
    """The member has left the group or was removed; it may not commit what it has read."""


class IllegalGeneration(Refusal):
    """The group has rebalanced since; the partitions that the member read may belong to another."""


class NonEmptyGroup(Refusal):
    """The group has members, and only they may commit its offsets."""


class OffsetsInDoubt(Refusal):
    """A transaction that is still open may or may not commit these offsets."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The partitions of a member in one generation."""

    generation: int
    partitions: Collection[int]


class Group:
    """Assigns partitions cooperatively: one moves to another member only after its owner has revoked it.

    A rebalance completes when every member has rejoined; a member that hangs delays it until its session expires.
    Meanwhile members keep their partitions and may commit. A member that was removed joins again under a new id.
    """

    def __init__(self, partitions: Callable[[], int], *, now: Callable[[], float] = lambda: 0.0) -> None:
        """`partitions` returns the topic's partition count, `now` the time in seconds for session timeouts."""
        self._partitions = partitions
        self._now = now
        self._owned: dict[str, Collection[int]] = {}
        self._heartbeat_at: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self._generation = 0
        self._rejoined: set[str] | None = None
        self._assigned_count = 0
        self._assigned: dict[str, Collection[int]] = {}
        self._awaited: set[int] = set()
        self._committed: dict[int, int] = {}
        self._metadata: dict[int, str] = {}
        self._staged: dict[int, dict[int, tuple[int, str]]] = {}

    @property
    def members(self) -> list[str]:
        """The member ids, in the order in which they joined."""
        return [*self._owned]

    @property
    def generation(self) -> int:
        """The number of completed rebalances."""
        return self._generation

    def join(self, client: str) -> str:
        """Add a member and return its id, which is never reused."""
        self._numbers[client] = self._numbers.get(client, 0) + 1
        member = f"{client}/{self._numbers[client]}"
        self._owned[member] = ()
        self._heartbeat_at[member] = self._now()
        self._rebalance()
        self._rejoin(member)
        return member

    def leave(self, member: str) -> None:
        """Remove a member; the next rebalance assigns its partitions."""
        if self._owned.pop(member, None) is not None:
            self._assigned.pop(member, None)
            self._rebalance()
            self._complete_rebalance()

    def heartbeat(self, member: str) -> None:
        """Restart the member's session timeout. Raises UnknownMember."""
        self.check(member)
        self._heartbeat_at[member] = self._now()

    def expire_members(self, session_seconds: float) -> None:
        """Remove the members whose last heartbeat is older than the session timeout."""
        for member in self.members:
            if self._now() - self._heartbeat_at[member] > session_seconds:
                self.leave(member)

    def sync(self, member: str, owned: Collection[int]) -> Assignment:
        """Record which partitions the member owns, and return its assignment. Raises UnknownMember.

        During a rebalance the assignment is what the member owns.
        """
        self.heartbeat(member)
        self._owned[member] = owned
        if self._assigned_count != self._partitions() or self._awaited - self._all_owned():
            self._rebalance()
        self._rejoin(member)
        if self._rejoined is not None:
            return Assignment(self._generation, owned)
        return Assignment(self._generation, self._assigned[member])

    def check(self, member: str, generation: int | None = None) -> None:
        """Raise UnknownMember if the member is not in the group, IllegalGeneration if its generation is over."""
        if member not in self._owned:
            raise UnknownMember(f"{member} is not in the group")
        if generation is not None and generation != self._generation:
            raise IllegalGeneration(f"generation {generation} is over, it is {self._generation} now")

    def committed(self, partition: int) -> int | None:
        """Return the committed offset; None if there is none. Raises OffsetsInDoubt (KIP-447)."""
        if any(partition in offsets for offsets in self._staged.values()):
            raise OffsetsInDoubt(f"an open transaction holds an offset of partition {partition}")
        return self._committed.get(partition)

    def offset_metadata(self, partition: int) -> str:
        """Return the metadata that was committed with the partition's offset."""
        return self._metadata.get(partition, "")

    def set_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commit offsets from outside the group, like kafka-consumer-groups.sh. Raises NonEmptyGroup."""
        self._require_empty()
        self._committed.update(offsets)
        self._metadata.update(dict.fromkeys(offsets, ""))

    def forget_offsets(self) -> None:
        """Delete all offsets, as `offsets.retention.minutes` does. Raises NonEmptyGroup."""
        self._require_empty()
        self._committed.clear()
        self._metadata.clear()

    def _require_empty(self) -> None:
        if self._owned:
            raise NonEmptyGroup(f"the group has {len(self._owned)} members")

    def stage(self, producer_id: int, offsets: Mapping[int, int], metadata: str = "") -> None:
        """Keep offsets until the producer's transaction ends."""
        self._staged.setdefault(producer_id, {}).update({p: (offset, metadata) for p, offset in offsets.items()})

    def apply(self, producer_id: int) -> None:
        """Commit the offsets of the producer's transaction."""
        for partition, (offset, metadata) in self._staged.pop(producer_id, {}).items():
            self._committed[partition], self._metadata[partition] = offset, metadata

    def drop(self, producer_id: int) -> None:
        """Drop the offsets of the producer's transaction."""
        self._staged.pop(producer_id, None)

    def _rebalance(self) -> None:
        if self._rejoined is None:
            self._rejoined = set()

    def _rejoin(self, member: str) -> None:
        if self._rejoined is not None:
            self._rejoined.add(member)
            self._complete_rebalance()

    def _complete_rebalance(self) -> None:
        """Assign once all have rejoined; those to be revoked first wait for a further rebalance."""
        if self._rejoined is None or self._owned.keys() - self._rejoined:
            return
        self._rejoined = None
        self._generation += 1
        self._assigned_count = self._partitions()
        owners = assign(self._assigned_count, self._owned)
        self._awaited = {p for p in self._all_owned() if p not in owners or p not in self._owned[owners[p]]}
        self._assigned = {
            member: [p for p, owner in sorted(owners.items()) if owner == member and p not in self._awaited]
            for member in self._owned
        }

    def _all_owned(self) -> set[int]:
        return {partition for owned in self._owned.values() for partition in owned}
