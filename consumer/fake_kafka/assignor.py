"""Who shall have which partition: even shares, and each member keeps as many of its own as its share allows."""

from collections.abc import Collection, Mapping


def assign(partitions: int, held: Mapping[str, Collection[int]]) -> dict[int, str]:
    """Return the owner of each partition; `held` tells what every member has now. Sticky as Kafka's assignors are."""
    room = _shares(partitions, held)
    owners: dict[int, str] = {}
    for partition, member in sorted((partition, member) for member, mine in held.items() for partition in mine):
        if room[member] and partition < partitions and partition not in owners:
            room[member] -= 1
            owners[partition] = member
    free = (member for member, share in room.items() for _ in range(share))
    for partition in range(partitions if room else 0):
        if partition not in owners:
            owners[partition] = next(free)
    return owners


def _shares(partitions: int, held: Mapping[str, Collection[int]]) -> dict[str, int]:
    """Return how many partitions each member gets; those who hold the most get what does not divide."""
    if not held:
        return {}
    each, left = divmod(partitions, len(held))
    ranked = sorted(held, key=lambda member: -len(held[member]))
    return {member: each + (rank < left) for rank, member in enumerate(ranked)}
