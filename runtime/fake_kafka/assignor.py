"""A sticky assignor: even shares, and each member keeps as many of its partitions as its share allows."""

from collections.abc import Collection, Mapping


def assign(partitions: int, owned: Mapping[str, Collection[int]]) -> dict[int, str]:
    """Return the owner of each partition; `owned` has the current partitions of every member."""
    room = _shares(partitions, owned)
    owners: dict[int, str] = {}
    for partition, member in sorted((partition, owner) for owner in owned for partition in owned[owner]):
        if room[member] and partition < partitions and partition not in owners:
            room[member] -= 1
            owners[partition] = member
    free = (member for member, share in room.items() for _ in range(share))
    for partition in range(partitions if room else 0):
        if partition not in owners:
            owners[partition] = next(free)
    return owners


def _shares(partitions: int, owned: Mapping[str, Collection[int]]) -> dict[str, int]:
    """Return each member's number of partitions; members that own the most get the remainder."""
    if not owned:
        return {}
    each, left = divmod(partitions, len(owned))
    ranked = sorted(owned, key=lambda member: -len(owned[member]))
    return {member: each + (rank < left) for rank, member in enumerate(ranked)}
