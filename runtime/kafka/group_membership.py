"""The membership of one consumer in its group, and the partitions that rebalances assign and revoke."""

import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from runtime.kafka.backend_ports import Fetcher
from runtime.kafka.errors import fatal_error, why_refused
from runtime.monitoring.log_throttle import LogThrottle
from runtime.ports import AssignmentChange, TransactionAborted

_LOG = structlog.get_logger(__name__)
_LEAVE_SECONDS = 1.5
CLASSIC = "classic"
"""The library's default for `group.protocol`."""


class GroupMembership:
    """Subscribes a consumer to the clicks and follows its group.

    Rebalance callbacks run inside `fetch`. They only record the change and pause new partitions: if one raised or
    waited, the library would lose the batch that it is collecting.
    """

    def __init__(
        self, consumer: Consumer, fetcher: Fetcher, topic: str, *, protocol: str, note_member: Callable[[str], object]
    ) -> None:
        """`note_member` is called with each new member id."""
        self._consumer = consumer
        self._fetcher = fetcher
        self._topic = topic
        self._is_classic = protocol == CLASSIC
        self.paused: set[int] = set()
        self.eof_offsets: dict[int, int] = {}
        self._assigned: set[int] = set()
        self._revoked: set[int] = set()
        self._has_joined = self._is_member = False
        self._refusal: str | None = None
        self._note_member = note_member
        self._noted_member_id = ""
        self._throttle = LogThrottle(time.monotonic)

    def join(self) -> None:
        """Subscribe at the first call."""
        if not self._has_joined:
            self._has_joined = True
            self._consumer.subscribe(
                [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )

    def leave(self) -> None:
        """Unsubscribe and wait until the member id is gone: a static member that only closes remains a member."""
        if not self._has_joined:
            return
        self._has_joined = False
        with suppress(KafkaException):
            self._consumer.unsubscribe()
            deadline = time.monotonic() + _LEAVE_SECONDS
            while self._consumer.memberid() and time.monotonic() < deadline:
                self._consumer.poll(0.05)

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        for partition in self._revoked | self._assigned:
            # EOF may have arrived in the call that revoked the partition, after the callback.
            self.eof_offsets.pop(partition, None)
        if self._assigned:
            self._report_member_id()
        change = AssignmentChange(frozenset(self._revoked), frozenset(self._assigned))
        self._revoked, self._assigned = set(), set()
        return change

    @property
    def is_member(self) -> bool:
        """True if this worker is in the group, as far as it knows."""
        return self._is_member

    def refusal(self) -> str | None:
        """Return why the group last refused this worker; None once it is a member."""
        if self._refusal is not None and self._consumer.memberid():
            self._refusal = None
        return self._refusal

    def member_id(self) -> str:
        """Return the member id. Raises TransactionAborted if the group has removed this member and the library knows.

        A broker takes a static member without an id for one that another process has replaced.
        """
        member_id = self._consumer.memberid() or ""
        if self._has_joined and not member_id:
            raise TransactionAborted("this worker is out of the group", rebalance=True)
        return member_id

    def notice_empty_assignment(self) -> None:
        """Become a member without partitions: under `group.protocol=consumer` the library calls back for none."""
        if not self._is_classic and self._consumer.memberid() and self._refusal is None:
            self._is_member = True

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Add partitions at their offsets, paused and attached to the fetcher."""
        self._consumer.incremental_assign(partitions)
        self._consumer.pause(partitions)
        for each in partitions:
            self._fetcher.attach(each.partition)

    def handle_error(self, error: KafkaError) -> None:
        """Raise a fatal error; log any other, and keep it if it is the reason why the group refuses this worker."""
        fatal = fatal_error(error)
        if fatal is not None:
            raise fatal
        reason = why_refused(error)
        if reason is not None and not self._consumer.assignment():
            self._refusal = reason
        # Some errors recur with each poll, thousands of times per second.
        if self._throttle.is_due(error.name()):
            _LOG.warning("consumer.disturbed", error=error.name(), detail=reason or error.str())

    def _report_member_id(self) -> None:
        member_id = self._consumer.memberid() or ""
        if member_id and member_id != self._noted_member_id:
            self._noted_member_id = member_id
            self._note_member(member_id)

    def _on_assign(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Assign from the beginning, which needs no request; the owner then seeks to the committed offset."""
        self._refusal = None
        self.assign([TopicPartition(self._topic, each.partition, OFFSET_BEGINNING) for each in partitions])
        self._assigned.update(each.partition for each in partitions)
        self.paused.update(each.partition for each in partitions)
        self._is_member = True

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._assigned.discard(each.partition)
            self._revoked.add(each.partition)
            self.eof_offsets.pop(each.partition, None)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._is_member = False
        self._on_revoke(consumer, partitions)
