"""A consumer group on one topic: its members, who holds which partition, and the offsets it has committed."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping


class UnknownMember(Exception):
    """The member was put out of the group, or left it; what it has read is no longer its to commit."""


class OffsetsInDoubt(Exception):
    """A transaction that is still open may or may not commit these offsets."""


class Group:
    """Spreads partitions cooperatively: one moves to another member only once its holder has given it up.

    A member is what joined once; whoever was put out joins again as another. That stands for the generation, which
    fences the commits of a member that was left behind: a holder that keeps up learns each new one by itself.
    """

    def __init__(self, partitions: Callable[[], int]) -> None:
        """`partitions` tells how many the topic has now."""
        self._partitions = partitions
        self._members: dict[str, None] = {}
        self._joined: Counter[str] = Counter()
        self._wanted: dict[int, str] = {}
        self._holders: dict[int, str] = {}
        self._committed: dict[int, int] = {}
        self._staged: dict[int, dict[int, int]] = {}

    @property
    def members(self) -> list[str]:
        """The members, in the order in which they joined."""
        return [*self._members]

    def join(self, client: str) -> str:
        """Add a member and return its id, which was never given out before."""
        self._joined[client] += 1
        member = f"{client}/{self._joined[client]}"
        self._members[member] = None
        self._spread()
        return member

    def leave(self, member: str) -> None:
        """Take a member out; what it held is free at once. The same befalls one whose session times out."""
        self._members.pop(member, None)
        self._holders = {partition: holder for partition, holder in self._holders.items() if holder != member}
        self._spread()

    def sync(self, member: str) -> Collection[int]:
        """Have the member give up what others shall have, take what is free, and return what it holds.

        Raises UnknownMember.
        """
        self.check(member)
        if len(self._wanted) != self._partitions():
            self._spread()
        for partition, wanted in self._wanted.items():
            holder = self._holders.get(partition)
            if holder == member and wanted != member:
                del self._holders[partition]
            elif holder is None and wanted == member:
                self._holders[partition] = member
        return [partition for partition, holder in sorted(self._holders.items()) if holder == member]

    def check(self, member: str) -> None:
        """Raise UnknownMember unless the member is in the group."""
        if member not in self._members:
            raise UnknownMember(f"{member} is not in the group")

    def committed(self, partition: int) -> int | None:
        """Return the offset that is committed, None where none is. Raises OffsetsInDoubt (KIP-447)."""
        if any(partition in offsets for offsets in self._staged.values()):
            raise OffsetsInDoubt(f"an open transaction holds an offset of partition {partition}")
        return self._committed.get(partition)

    def stage(self, producer_id: int, offsets: Mapping[int, int]) -> None:
        """Keep offsets until the producer's transaction ends."""
        self._staged.setdefault(producer_id, {}).update(offsets)

    def apply(self, producer_id: int) -> None:
        """Commit what the producer's transaction has staged."""
        self._committed.update(self._staged.pop(producer_id, {}))

    def drop(self, producer_id: int) -> None:
        """Forget what the producer's transaction has staged."""
        self._staged.pop(producer_id, None)

    def _spread(self) -> None:
        """Share the partitions out evenly; each member keeps as many of its own as its share allows."""
        self._wanted = {}
        room = self._shares()
        before = {p: holder for p, holder in sorted(self._holders.items()) if holder in room}
        for partition, holder in before.items():
            if room[holder]:
                room[holder] -= 1
                self._wanted[partition] = holder
        free = (member for member, share in room.items() for _ in range(share))
        for partition in range(self._partitions() if room else 0):
            if partition not in self._wanted:
                self._wanted[partition] = next(free)

    def _shares(self) -> dict[str, int]:
        """Return how many partitions each member gets; those who hold the most get what does not divide."""
        if not self._members:
            return {}
        each, left = divmod(self._partitions(), len(self._members))
        held = Counter(self._holders.values())
        ranked = sorted(self._members, key=lambda member: -held[member])
        return {member: each + (rank < left) for rank, member in enumerate(ranked)}
