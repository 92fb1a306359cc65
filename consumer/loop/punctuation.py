"""Acting on time as well as on records, as Kafka Streams' punctuation does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runtime.ports import ProducerRecord
from runtime.state.store import PartitionStore


@dataclass(frozen=True, slots=True)
class Punctuation:
    """Records and state changes of one partition that are due by time."""

    records: Sequence[ProducerRecord]
    state: Mapping[bytes, bytes | None] = field(default_factory=dict)
    """Entries for the store and its changelog, None for a deletion; no key of the dedupe state."""


class Punctuator(Protocol):
    """Called once per turn of the loop for each live partition, after the batch if there is one.

    Decide from the store alone what is due, and write to `state` that it is done. The loop commits records and state in
    one transaction and restores the store before it calls again after a failure, so each record is written exactly
    once, even if an outcome was unknown. Return quickly: the call is on the loop's thread.
    """

    def punctuate(self, partition: int, store: PartitionStore, now_ms: int) -> Punctuation | None:
        """Return what is due at `now_ms`, milliseconds since 1970 UTC; None if nothing is."""
