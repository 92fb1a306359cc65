"""The partitions assigned to this worker: first restored from the changelog, then verified, then live."""

from collections.abc import Collection, Mapping

import structlog

from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.history_check import HistoryCheck
from consumer.loop.observer import Observer
from consumer.loop.offsets import CommittedOffsets
from runtime.errors import Unavailable
from runtime.ports import Committed, TransactionalConsumer
from runtime.state.store import PartitionStore
from runtime.terminal.text import counted

_LOG = structlog.get_logger(__name__)


class Assignment:
    """Follows the group's assignment; only live partitions are consumed, all others are paused."""

    def __init__(
        self,
        consumer: TransactionalConsumer,
        observer: Observer,
        *,
        restorer: ChangelogRestorer,
        history: HistoryCheck,
        offsets: CommittedOffsets,
        dead_letter_limit: DeadLetterLimit,
        partitions: int,
    ) -> None:
        """`partitions` is the number that the clicks topic had at the start."""
        self._consumer = consumer
        self._restorer = restorer
        self._history = history
        self._offsets = offsets
        self._dead_letter_limit = dead_letter_limit
        self._observer = observer
        self._partitions = partitions
        self.live: dict[int, PartitionStore] = {}

    @property
    def restoring(self) -> Collection[int]:
        """The partitions that are not live yet."""
        return self._restorer.restoring

    def follow(self) -> bool:
        """Apply the rebalance that may have happened in the last `consume`; return whether there was one."""
        change = self._consumer.poll_assignment()
        for partition in change.revoked:
            self._forget(partition)
            self._restorer.release(partition)
        for partition in change.assigned:
            self._require_known(partition)
            self._forget(partition)
            self._restorer.start(partition)
        is_changed = bool(change.revoked or change.assigned)
        if is_changed:
            _LOG.info("partitions.changed", revoked=sorted(change.revoked), assigned=sorted(change.assigned))
            self._observer.assigned(change, [*self.live, *self.restoring], self._restorer.remaining())
        self._observer.joined(is_member=self._consumer.is_member)
        return is_changed

    def restore(self, timeout_seconds: float) -> None:
        """Read on in the changelog for at most the time-out; partitions that are complete and verified become live."""
        if not self.restoring:
            return
        complete, read = self._restorer.step(timeout_seconds)
        self._admit(complete)
        self._observer.restored(read, self._restorer.remaining())

    def pause(self) -> None:
        """Pause the live partitions."""
        self._consumer.pause(list(self.live))

    def seek_to_committed(self) -> Mapping[int, Committed | None]:
        """Pause the live partitions and seek to their committed offsets. Raises RetriableError."""
        self.pause()
        committed = self._consumer.seek_to_committed(list(self.live))
        offsets = {partition: 0 if found is None else found.offset for partition, found in committed.items()}
        _LOG.info("offsets.reread", offsets=offsets)
        self._offsets.check_no_regression(offsets)
        return committed

    def restore_all(self) -> None:
        """Restore every live partition again, because its store may lack what was committed."""
        for partition in list(self.live):
            del self.live[partition]
            self._restorer.start(partition)
            self._dead_letter_limit.forget(partition)

    def _admit(self, complete: Mapping[int, PartitionStore]) -> None:
        """Make the partitions that pass the history check live."""
        offsets = self._history.verify(complete)
        self.live.update({partition: complete[partition] for partition in offsets})
        self._offsets.start(offsets)
        self._observer.skipped({partition: self._history.skipped(partition) for partition in offsets})
        self._consumer.resume(list(offsets))

    def _forget(self, partition: int) -> None:
        """Forget a partition that was assigned or revoked: another worker may have changed everything about it."""
        self.live.pop(partition, None)
        self._offsets.forget(partition)
        self._history.forget(partition)
        self._dead_letter_limit.forget(partition)

    def _require_known(self, partition: int) -> None:
        if partition >= self._partitions:
            raise Unavailable(
                f"link.clicks.v1 has more than {counted(self._partitions, 'partition')} now, which separates"
                " recipients from their dedupe state; stop all workers and run link-actions doctor, which says how to"
                " move it"
            )
