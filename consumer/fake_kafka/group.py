"""A consumer group on one topic: its members, who holds which partition, and the offsets it has committed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from consumer.fake_kafka.assignor import assign
from consumer.fake_kafka.refusal import Refusal


class UnknownMember(Refusal):
    """The member was put out of the group, or left it; what it has read is no longer its to commit."""


class IllegalGeneration(Refusal):
    """The group has been shared out anew since; what the member has read may be another's now."""


class NonEmptyGroup(Refusal):
    """The group has members, and its offsets are theirs to commit."""


class OffsetsInDoubt(Refusal):
    """A transaction that is still open may or may not commit these offsets."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a member shall hold, and the generation that says so."""

    generation: int
    partitions: Collection[int]


class Group:
    """Spreads partitions cooperatively: one moves to another member only once its holder says that it gave it up.

    A rebalance is complete when every member has joined it; whoever does not turn any more holds it up until its
    session is over. Meanwhile all go on with what they hold, and may commit. Who was put out joins again as another.
    """

    def __init__(self, partitions: Callable[[], int], *, now: Callable[[], float] = lambda: 0.0) -> None:
        """`partitions` tells how many the topic has now, `now` the seconds by which sessions are measured."""
        self._partitions = partitions
        self._now = now
        self._held: dict[str, Collection[int]] = {}
        self._heard_at: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self._generation = 0
        self._rejoined: set[str] | None = None
        self._shared_partitions = 0
        self._assigned: dict[str, Collection[int]] = {}
        self._awaited: set[int] = set()
        self._committed: dict[int, int] = {}
        self._signatures: dict[int, str] = {}
        self._staged: dict[int, dict[int, tuple[int, str]]] = {}

    @property
    def members(self) -> list[str]:
        """The members, in the order in which they joined."""
        return [*self._held]

    @property
    def generation(self) -> int:
        """How often the partitions have been shared out."""
        return self._generation

    def join(self, client: str) -> str:
        """Add a member and return its id, which was never given out before."""
        self._numbers[client] = self._numbers.get(client, 0) + 1
        member = f"{client}/{self._numbers[client]}"
        self._held[member] = ()
        self._heard_at[member] = self._now()
        self._rebalance()
        self._rejoin(member)
        return member

    def leave(self, member: str) -> None:
        """Take a member out; what it held is free from the next sharing on."""
        if self._held.pop(member, None) is not None:
            self._assigned.pop(member, None)
            self._rebalance()
            self._share_when_complete()

    def hear(self, member: str) -> None:
        """Take a sign of life. Raises UnknownMember."""
        self.check(member)
        self._heard_at[member] = self._now()

    def put_out_silent(self, session_seconds: float) -> None:
        """Take out whoever was not heard of for so long."""
        for member in self.members:
            if self._now() - self._heard_at[member] > session_seconds:
                self.leave(member)

    def sync(self, member: str, held: Collection[int]) -> Assignment:
        """Take in what the member holds, and return what it shall hold. Raises UnknownMember.

        While a rebalance is under way that is what it holds already.
        """
        self.hear(member)
        self._held[member] = held
        if self._shared_partitions != self._partitions() or self._awaited - self._all_held():
            self._rebalance()
        self._rejoin(member)
        if self._rejoined is not None:
            return Assignment(self._generation, held)
        return Assignment(self._generation, self._assigned[member])

    def check(self, member: str, generation: int | None = None) -> None:
        """Raise UnknownMember unless the member is in the group, IllegalGeneration where the one it knows is over."""
        if member not in self._held:
            raise UnknownMember(f"{member} is not in the group")
        if generation is not None and generation != self._generation:
            raise IllegalGeneration(f"generation {generation} is over, it is {self._generation} now")

    def committed(self, partition: int) -> int | None:
        """Return the offset that is committed, None where none is. Raises OffsetsInDoubt (KIP-447)."""
        if any(partition in offsets for offsets in self._staged.values()):
            raise OffsetsInDoubt(f"an open transaction holds an offset of partition {partition}")
        return self._committed.get(partition)

    def signature(self, partition: int) -> str:
        """Return what whoever committed the partition's offset has left beside it."""
        return self._signatures.get(partition, "")

    def set_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commit offsets from outside, as a tool does. Raises NonEmptyGroup."""
        self._require_empty()
        self._committed.update(offsets)
        self._signatures.update(dict.fromkeys(offsets, ""))

    def forget_offsets(self) -> None:
        """Forget all offsets, as when they expire. Raises NonEmptyGroup."""
        self._require_empty()
        self._committed.clear()
        self._signatures.clear()

    def _require_empty(self) -> None:
        if self._held:
            raise NonEmptyGroup(f"the group has {len(self._held)} members")

    def stage(self, producer_id: int, offsets: Mapping[int, int], signature: str = "") -> None:
        """Keep offsets until the producer's transaction ends."""
        self._staged.setdefault(producer_id, {}).update({p: (offset, signature) for p, offset in offsets.items()})

    def apply(self, producer_id: int) -> None:
        """Commit what the producer's transaction has staged."""
        for partition, (offset, signature) in self._staged.pop(producer_id, {}).items():
            self._committed[partition], self._signatures[partition] = offset, signature

    def drop(self, producer_id: int) -> None:
        """Forget what the producer's transaction has staged."""
        self._staged.pop(producer_id, None)

    def _rebalance(self) -> None:
        if self._rejoined is None:
            self._rejoined = set()

    def _rejoin(self, member: str) -> None:
        if self._rejoined is not None:
            self._rejoined.add(member)
            self._share_when_complete()

    def _share_when_complete(self) -> None:
        """Share out once all have joined; what another still holds is awaited, and shared in a further round."""
        if self._rejoined is None or self._held.keys() - self._rejoined:
            return
        self._rejoined = None
        self._generation += 1
        self._shared_partitions = self._partitions()
        wanted = assign(self._shared_partitions, self._held)
        self._awaited = {p for p in self._all_held() if p not in wanted or p not in self._held[wanted[p]]}
        self._assigned = {
            member: [p for p, owner in sorted(wanted.items()) if owner == member and p not in self._awaited]
            for member in self._held
        }

    def _all_held(self) -> set[int]:
        return {partition for held in self._held.values() for partition in held}
