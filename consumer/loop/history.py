"""Finds contradictions in the history of a partition, and the checkpoint to resume from with each resolution. Pure.

Four sources must agree: the group's committed offset, the checkpoint in the changelog, the offsets of the clicks topic,
and the topics that this worker's disk is a copy of. A worker that ignored a contradiction would repeat actions or skip
clicks silently, so a person chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from runtime.state.store import PartitionStore


class Resolution(StrEnum):
    """A way to resolve a contradiction, named like the option of `link-actions state reconcile`."""

    ACCEPT_LOST_MEMORY = "accept-lost-memory"
    OFFSETS_FROM_STATE = "offsets-from-state"
    OFFSETS_FROM_GROUP = "offsets-from-group"
    SKIP_LOST_CLICKS = "skip-lost-clicks"


class Contradiction(StrEnum):
    """A kind of contradiction in a partition's history."""

    STATE_LOST = "dedupe state lost"
    STATE_PARTLY_LOST = "dedupe state partly lost"
    OFFSETS_LOST = "offsets lost"
    OFFSETS_MOVED = "offsets moved"
    CLICKS_DELETED = "clicks deleted"
    CLICKS_TRUNCATED = "clicks truncated"
    CLICKS_REPLACED = "clicks replaced"


_OFFSETS = (Resolution.OFFSETS_FROM_STATE, Resolution.OFFSETS_FROM_GROUP)
RESOLUTIONS: Mapping[Contradiction, Sequence[Resolution]] = {
    Contradiction.STATE_LOST: (Resolution.ACCEPT_LOST_MEMORY,),
    Contradiction.STATE_PARTLY_LOST: (Resolution.ACCEPT_LOST_MEMORY,),
    Contradiction.OFFSETS_LOST: _OFFSETS,
    Contradiction.OFFSETS_MOVED: _OFFSETS,
    Contradiction.CLICKS_DELETED: (Resolution.SKIP_LOST_CLICKS,),
    Contradiction.CLICKS_TRUNCATED: (Resolution.SKIP_LOST_CLICKS,),
    Contradiction.CLICKS_REPLACED: (Resolution.SKIP_LOST_CLICKS,),
}
"""The resolutions to choose from, by contradiction."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence about one partition: `first_offset` and `end_offset` are the watermarks of the clicks topic."""

    committed: int | None
    checkpoint: Checkpoint | None
    first_offset: int
    end_offset: int
    clicks_topic_id: str = ""
    changelog_start: int = 0
    """First offset of the changelog. Compaction leaves it at 0; deletion by age or by hand raises it."""
    had_state: bool = False
    """This worker's disk is a copy of an earlier changelog of the same name, made from the same clicks topic."""

    @property
    def processed_to(self) -> int | None:
        """The offset up to which clicks are processed, None if not known."""
        return self.committed if self.checkpoint is None or self.checkpoint.offset is None else self.checkpoint.offset


def find_contradiction(evidence: Evidence) -> Contradiction | None:
    """Return the first contradiction that a person must decide about, None if there is none.

    A group without offset, checkpoint and local copy is new: clicks deleted before it began are not its loss.
    """
    checkpoint = evidence.checkpoint
    if checkpoint is None or checkpoint.offset is None:
        return _find_without_checkpoint(evidence)
    if (
        checkpoint.clicks_topic_id
        and evidence.clicks_topic_id
        and checkpoint.clicks_topic_id != evidence.clicks_topic_id
    ):
        return Contradiction.CLICKS_REPLACED
    if evidence.changelog_start > checkpoint.changelog_start:
        return Contradiction.STATE_PARTLY_LOST
    if (evidence.committed or 0) != checkpoint.offset:
        return Contradiction.OFFSETS_LOST if evidence.committed is None else Contradiction.OFFSETS_MOVED
    if checkpoint.offset < evidence.first_offset:
        return Contradiction.CLICKS_DELETED
    return Contradiction.CLICKS_TRUNCATED if checkpoint.offset > evidence.end_offset else None


def _find_without_checkpoint(evidence: Evidence) -> Contradiction | None:
    """Return the contradiction of a partition without state, None if the group has processed nothing yet."""
    if evidence.committed or evidence.had_state:
        return Contradiction.STATE_LOST
    return Contradiction.CLICKS_DELETED if evidence.committed == 0 < evidence.first_offset else None


def resume_checkpoint(evidence: Evidence, resolution: Resolution, partitions: int) -> Checkpoint:
    """Return the checkpoint to resume from; commit its offset together with it."""
    checkpoint, processed_to = evidence.checkpoint or Checkpoint(partitions), evidence.processed_to
    is_replaced = find_contradiction(evidence) is Contradiction.CLICKS_REPLACED
    if is_replaced:
        base = evidence.first_offset
    elif resolution is Resolution.OFFSETS_FROM_GROUP:
        base = evidence.first_offset if evidence.committed is None else evidence.committed
    else:
        base = processed_to or 0
    offset = min(max(base, evidence.first_offset), evidence.end_offset)
    skipped = 0 if is_replaced or processed_to is None else max(offset - processed_to, 0)
    changelog_start = checkpoint.changelog_start
    if resolution is Resolution.ACCEPT_LOST_MEMORY:
        changelog_start = max(changelog_start, evidence.changelog_start)
    return Checkpoint(
        checkpoint.partitions, offset, checkpoint.skipped + skipped, changelog_start, evidence.clicks_topic_id
    )


def reprocessed(evidence: Evidence, chosen: Checkpoint) -> int:
    """Return the number of offsets that would be processed again."""
    if evidence.processed_to is None or find_contradiction(evidence) is Contradiction.CLICKS_REPLACED:
        return 0
    return max(min(evidence.processed_to, evidence.end_offset) - (chosen.offset or 0), 0)


def explain(found: Mapping[int, tuple[Contradiction, Evidence]], group: str) -> str:
    """Return a sentence for each contradiction: what was found, and the effect and command of each resolution."""
    return "\n".join(_explain_each(found, group))


def _explain_each(found: Mapping[int, tuple[Contradiction, Evidence]], group: str) -> Iterator[str]:
    for contradiction in Contradiction:
        mine = {partition: evidence for partition, (kind, evidence) in found.items() if kind is contradiction}
        if not mine:
            continue
        partition, evidence = next(iter(sorted(mine.items())))
        others = sorted(mine.keys() - {partition})
        also = f" (the same in {len(others)} more: {', '.join(map(str, others))})" if others else ""
        resolutions = "; or ".join(
            f"link-actions state reconcile --{resolution} {_effect(resolution, contradiction, evidence)}"
            for resolution in RESOLUTIONS[contradiction]
        )
        yield (
            f"Partition {partition} of link.clicks.v1: {describe(contradiction, evidence, group)}{also}; nothing was"
            f" changed. Stop all workers of group {group} and run one of: {resolutions}"
        )


_DESCRIPTIONS = {
    Contradiction.STATE_LOST: ("{known}, but the changelog is empty: it was deleted and created again, or emptied"),
    Contradiction.STATE_PARTLY_LOST: (
        "the changelog begins at offset {changelog_start} instead of {accepted}: older dedupe state was deleted, by a"
        " cleanup.policy with delete or by hand"
    ),
    Contradiction.OFFSETS_LOST: (
        "the dedupe state covers every click before offset {processed_to}, but group {group} has no committed offset:"
        " it expired or was deleted"
    ),
    Contradiction.OFFSETS_MOVED: (
        "the dedupe state covers every click before offset {processed_to}, but the committed offset of group {group} is"
        " {committed}: it was reset"
    ),
    Contradiction.CLICKS_DELETED: (
        "offsets {processed_to} to {last} were deleted before they were read, {deleted} in all (clicks, or"
        " transaction markers)"
    ),
    Contradiction.CLICKS_TRUNCATED: (
        "the topic ends at offset {end}, but group {group} has processed it up to offset {processed_to}"
    ),
    Contradiction.CLICKS_REPLACED: (
        "the topic was deleted and created again after it was processed up to offset {processed_to}; the clicks after"
        " that are lost"
    ),
}


def describe(contradiction: Contradiction, evidence: Evidence, group: str) -> str:
    """Describe a contradiction of one partition, in numbers."""
    processed_to = evidence.processed_to or 0
    of_group = f"group {group} has committed offset {evidence.committed}"
    return _DESCRIPTIONS[contradiction].format(
        known=of_group if evidence.committed else "this worker's disk holds a copy of an earlier changelog",
        group=group,
        committed=evidence.committed or 0,
        processed_to=processed_to,
        last=evidence.first_offset - 1,
        deleted=evidence.first_offset - processed_to,
        end=evidence.end_offset,
        changelog_start=evidence.changelog_start,
        accepted=evidence.checkpoint.changelog_start if evidence.checkpoint else 0,
    )


def _effect(resolution: Resolution, contradiction: Contradiction, evidence: Evidence) -> str:
    """Describe the effect of a resolution: where it continues, and how many offsets are repeated or lost."""
    chosen = resume_checkpoint(evidence, resolution, 0)
    where = f"continues from offset {chosen.offset}"
    lost = chosen.skipped - (evidence.checkpoint.skipped if evidence.checkpoint else 0)
    again = reprocessed(evidence, chosen)
    if resolution is Resolution.ACCEPT_LOST_MEMORY:
        scope = "an empty dedupe state" if contradiction is Contradiction.STATE_LOST else "the rest of the dedupe state"
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
    if not again and not lost and resolution is not Resolution.ACCEPT_LOST_MEMORY:
        effects.append("repeating nothing and losing nothing more")
    return f"({where} {', '.join(effects)})"


def read_checkpoint(store: PartitionStore) -> Checkpoint | None:
    """Return the checkpoint in the store, None if it has none. Raises Unavailable for another format."""
    value = store.get_many([CHECKPOINT_KEY])[0]
    return None if value is None else Checkpoint.decode(value)
