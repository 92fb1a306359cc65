"""Keys of one size, joined: the compiled core passes them to the state without an object for each key."""

from collections.abc import Iterator, Sequence
from typing import overload


class PackedKeys(Sequence[bytes]):
    """A sequence of keys of `size` bytes each, stored joined."""

    __slots__ = ("joined", "size")

    def __init__(self, joined: bytes, size: int) -> None:
        self.joined = joined
        self.size = size

    def __len__(self) -> int:
        return len(self.joined) // self.size

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        start = range(len(self))[place] * self.size
        return self.joined[start : start + self.size]

    def __iter__(self) -> Iterator[bytes]:
        joined, size = self.joined, self.size
        return (joined[start : start + size] for start in range(0, len(joined), size))
