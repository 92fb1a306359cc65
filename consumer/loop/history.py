"""Finds contradictions in the history of a partition, and the checkpoint to continue with after each choice. Pure.

Four sources must agree: the group's committed offset, the checkpoint in the changelog, the offsets of the clicks topic,
and the topics that this worker's disk is a copy of. A worker that ignored a contradiction would repeat actions or skip
clicks silently, so a person chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from runtime.state.store import PartitionStore


class Way(StrEnum):
    """A way to continue after a contradiction, named like the option of `link-actions state reconcile`."""

    ACCEPT_LOST_MEMORY = "accept-lost-memory"
    OFFSETS_FROM_STATE = "offsets-from-state"
    OFFSETS_FROM_GROUP = "offsets-from-group"
    SKIP_LOST_CLICKS = "skip-lost-clicks"


class Contradiction(StrEnum):
    """A kind of contradiction in a partition's history."""

    MEMORY_LOST = "memory lost"
    MEMORY_CUT = "memory cut"
    OFFSETS_LOST = "offsets lost"
    OFFSETS_MOVED = "offsets moved"
    CLICKS_DELETED = "clicks deleted"
    CLICKS_TRUNCATED = "clicks truncated"
    CLICKS_REPLACED = "clicks replaced"


_OFFSETS = (Way.OFFSETS_FROM_STATE, Way.OFFSETS_FROM_GROUP)
WAYS: Mapping[Contradiction, Sequence[Way]] = {
    Contradiction.MEMORY_LOST: (Way.ACCEPT_LOST_MEMORY,),
    Contradiction.MEMORY_CUT: (Way.ACCEPT_LOST_MEMORY,),
    Contradiction.OFFSETS_LOST: _OFFSETS,
    Contradiction.OFFSETS_MOVED: _OFFSETS,
    Contradiction.CLICKS_DELETED: (Way.SKIP_LOST_CLICKS,),
    Contradiction.CLICKS_TRUNCATED: (Way.SKIP_LOST_CLICKS,),
    Contradiction.CLICKS_REPLACED: (Way.SKIP_LOST_CLICKS,),
}
"""The ways to choose from, by contradiction."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence about one partition: `first` and `end` are the watermarks of the clicks, `clicks` their topic id."""

    committed: int | None
    note: Checkpoint | None
    first: int
    end: int
    clicks: str = ""
    head: int = 0
    """First offset of the changelog. Compaction leaves it at 0; deletion by age or by hand raises it."""
    had_memory: bool = False
    """This worker's disk is a copy of an earlier changelog of the same name, made from the same clicks topic."""

    @property
    def done(self) -> int | None:
        """The offset up to which clicks are processed, None if not known."""
        return self.committed if self.note is None or self.note.offset is None else self.note.offset


def find_contradiction(seen: Evidence) -> Contradiction | None:
    """Return the first contradiction that a person must decide about, None if there is none.

    A group without offset, checkpoint and local copy is new: clicks deleted before it began are not its loss.
    """
    note = seen.note
    if note is None or note.offset is None:
        return _find_without_note(seen)
    if note.clicks and seen.clicks and note.clicks != seen.clicks:
        return Contradiction.CLICKS_REPLACED
    if seen.head > note.head:
        return Contradiction.MEMORY_CUT
    if (seen.committed or 0) != note.offset:
        return Contradiction.OFFSETS_LOST if seen.committed is None else Contradiction.OFFSETS_MOVED
    if note.offset < seen.first:
        return Contradiction.CLICKS_DELETED
    return Contradiction.CLICKS_TRUNCATED if note.offset > seen.end else None


def _find_without_note(seen: Evidence) -> Contradiction | None:
    """Return the contradiction of a partition without state, None if the group has processed nothing yet."""
    if seen.committed or seen.had_memory:
        return Contradiction.MEMORY_LOST
    return Contradiction.CLICKS_DELETED if seen.committed == 0 < seen.first else None


def going_on(seen: Evidence, way: Way, partitions: int) -> Checkpoint:
    """Return the checkpoint to continue with; commit its offset together with it."""
    note, done = seen.note or Checkpoint(partitions), seen.done
    is_replaced = find_contradiction(seen) is Contradiction.CLICKS_REPLACED
    if is_replaced:
        base = seen.first
    elif way is Way.OFFSETS_FROM_GROUP:
        base = seen.first if seen.committed is None else seen.committed
    else:
        base = done or 0
    offset = min(max(base, seen.first), seen.end)
    skipped = 0 if is_replaced or done is None else max(offset - done, 0)
    head = max(note.head, seen.head) if way is Way.ACCEPT_LOST_MEMORY else note.head
    return Checkpoint(note.partitions, offset, note.lost + skipped, head, seen.clicks)


def repeated(seen: Evidence, chosen: Checkpoint) -> int:
    """Return the number of offsets that would be processed again."""
    if seen.done is None or find_contradiction(seen) is Contradiction.CLICKS_REPLACED:
        return 0
    return max(min(seen.done, seen.end) - (chosen.offset or 0), 0)


def explain(found: Mapping[int, tuple[Contradiction, Evidence]], group: str) -> str:
    """Return a sentence for each contradiction: what was found, and the effect and command of each way."""
    return "\n".join(_explain_each(found, group))


def _explain_each(found: Mapping[int, tuple[Contradiction, Evidence]], group: str) -> Iterator[str]:
    for contradiction in Contradiction:
        mine = {partition: seen for partition, (kind, seen) in found.items() if kind is contradiction}
        if not mine:
            continue
        partition, seen = next(iter(sorted(mine.items())))
        others = sorted(mine.keys() - {partition})
        also = f" (the same in {len(others)} more: {', '.join(map(str, others))})" if others else ""
        ways = "; or ".join(
            f"link-actions state reconcile --{way} {_effect(way, contradiction, seen)}" for way in WAYS[contradiction]
        )
        yield (
            f"Partition {partition} of link.clicks.v1: {describe(contradiction, seen, group)}{also}; nothing was"
            f" changed. Stop all workers of group {group} and run one of: {ways}"
        )


_TOLD = {
    Contradiction.MEMORY_LOST: ("{known}, but the changelog is empty: it was deleted and created again, or emptied"),
    Contradiction.MEMORY_CUT: (
        "the changelog begins at offset {head} instead of {accepted}: older dedupe state was deleted, by a"
        " cleanup.policy with delete or by hand"
    ),
    Contradiction.OFFSETS_LOST: (
        "the dedupe state covers every click before offset {done}, but group {group} has no committed offset: it"
        " expired or was deleted"
    ),
    Contradiction.OFFSETS_MOVED: (
        "the dedupe state covers every click before offset {done}, but the committed offset of group {group} is"
        " {committed}: it was reset"
    ),
    Contradiction.CLICKS_DELETED: (
        "offsets {done} to {last} were deleted before they were read, {deleted} in all (clicks, or markers of"
        " transactions)"
    ),
    Contradiction.CLICKS_TRUNCATED: (
        "the topic ends at offset {end}, but group {group} has processed it up to offset {done}"
    ),
    Contradiction.CLICKS_REPLACED: (
        "the topic was deleted and created again after offset {done} was reached; what it held beyond that is lost"
    ),
}


def describe(contradiction: Contradiction, seen: Evidence, group: str) -> str:
    """Describe a contradiction of one partition, in numbers."""
    done = seen.done or 0
    of_group = f"group {group} has committed offset {seen.committed}"
    return _TOLD[contradiction].format(
        known=of_group if seen.committed else "this worker's disk holds a copy of an earlier changelog",
        group=group,
        committed=seen.committed or 0,
        done=done,
        last=seen.first - 1,
        deleted=seen.first - done,
        end=seen.end,
        head=seen.head,
        accepted=seen.note.head if seen.note else 0,
    )


def _effect(way: Way, contradiction: Contradiction, seen: Evidence) -> str:
    """Describe the effect of a way: where it continues, what is repeated, what is lost."""
    chosen = going_on(seen, way, 0)
    where = f"continues from offset {chosen.offset}"
    lost = chosen.lost - (seen.note.lost if seen.note else 0)
    again = repeated(seen, chosen)
    if way is Way.ACCEPT_LOST_MEMORY:
        scope = (
            "an empty dedupe state" if contradiction is Contradiction.MEMORY_LOST else "the rest of the dedupe state"
        )
        effects = [f"with {scope}, so actions that already happened are repeated at the next click"]
    else:
        effects = ["with the dedupe state unchanged"]
    if again:
        effects.append(
            f"processing {again} offsets again: hits count twice, and actions are repeated if the dedupe entry of a"
            " click id (one day) or a cooldown has expired"
        )
    if lost:
        effects.append(f"without {lost} offsets that are lost and counted in link_actions_clicks_lost_total")
    if not again and not lost and way is not Way.ACCEPT_LOST_MEMORY:
        effects.append("repeating nothing and losing nothing more")
    return f"({where} {', '.join(effects)})"


def read_checkpoint(store: PartitionStore) -> Checkpoint | None:
    """Return the checkpoint in the store, None if it has none. Raises Unavailable for another format."""
    value = store.get_many([CHECKPOINT_KEY])[0]
    return None if value is None else Checkpoint.decode(value)
