"""A record in a partition."""

from collections.abc import Sequence

CREATE_TIME = 1
"""Timestamp type for a producer's timestamp (the client library's `TIMESTAMP_CREATE_TIME`)."""


class FakeRecord:
    """Has the methods of the client library's message; immutable."""

    __slots__ = ("_headers", "_key", "_offset", "_partition", "_timestamp", "_topic", "_value")

    def __init__(
        self,
        topic_partition: tuple[str, int],
        offset: int,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        timestamp: int,
    ) -> None:
        self._topic, self._partition = topic_partition
        self._offset = offset
        self._key, self._value = key, value
        self._headers = [*headers]
        self._timestamp = timestamp

    def __len__(self) -> int:
        return len(self._value or b"")

    def topic(self) -> str:
        """Return the topic."""
        return self._topic

    def partition(self) -> int:
        """Return the partition."""
        return self._partition

    def offset(self) -> int:
        """Return the offset."""
        return self._offset

    def key(self) -> bytes | None:
        """Return the key's bytes or None."""
        return self._key

    def value(self) -> bytes | None:
        """Return the value's bytes or None."""
        return self._value

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Return the headers, or None without any."""
        return [*self._headers] or None

    def timestamp(self) -> tuple[int, int]:
        """Return kind and milliseconds since 1970 UTC."""
        return CREATE_TIME, self._timestamp
