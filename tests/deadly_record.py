"""A record that the process dies of when it looks into its value: what a crash of a decoder in C looks like."""

from collections.abc import Callable, Iterable
from typing import Any

from runtime.ports import ConsumerRecord

DEADLY = b"deadly"
"""The mark; may be anywhere in the value."""


class DeadlyValue(bytes):
    """Bytes that can be passed on, but `len`, the first step of decoding, crashes the process."""

    die: Callable[[], None]

    def __len__(self) -> int:
        self.die()
        return super().__len__()


class DeadlyRecord:
    """Gives the deadly value to the first who asks, which is the decision, and plain bytes after that."""

    def __init__(self, record: ConsumerRecord, die: Callable[[], None]) -> None:
        self._record = record
        self._value = DeadlyValue(record.value())
        self._value.die = die
        self._asked = False

    def __len__(self) -> int:
        return len(self._record)

    def value(self) -> bytes:
        value = bytes(self._record.value()) if self._asked else self._value
        self._asked = True
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)


class StallingRecord:
    """Lets the first wait who asks for the value, which is the decision."""

    def __init__(self, record: ConsumerRecord, stall: Callable[[], None]) -> None:
        self._record = record
        self._stall: Callable[[], None] | None = stall

    def __len__(self) -> int:
        return len(self._record)

    def value(self) -> Any:
        stall, self._stall = self._stall, None
        if stall is not None:
            stall()
        return self._record.value()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)


def with_stalling(records: Iterable[ConsumerRecord], stall: Callable[[], None]) -> list[ConsumerRecord]:
    """Return the records, the marked ones among them stalling."""
    return [StallingRecord(record, stall) if DEADLY in (record.value() or b"") else record for record in records]


def with_deadly(records: Iterable[ConsumerRecord], die: Callable[[], None]) -> list[ConsumerRecord]:
    """Return the records, the marked ones among them deadly."""
    return [DeadlyRecord(record, die) if DEADLY in (record.value() or b"") else record for record in records]
