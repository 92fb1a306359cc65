"""Row 0 of a file, and the state before its first batch."""

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from zlib import crc32

from runtime.state.rowfile.row import HEAD, KIND, ROW_BYTES

ALL = 0xFFFF_FFFF
"""Instead of a number of rows: the whole older file is obsolete."""

_MAGIC = b"row\x01"
_HEAD = Struct("<4sI16sIqI")
"""Magic number with the version of the format, generation, digest of the changelog's identity, checksum at the end of
the older file, position there, checksum."""


class DamagedFile(Exception):
    """The head of the file is damaged or belongs to another changelog or version, so the file cannot be used."""


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Header of the latest valid batch: the end of the file, and the position of its state."""

    end: int
    checksum: int
    position: int
    superseded: int
    """Number of obsolete rows of the older file; ALL if all of them are, or if there is no older file."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Content of row 0."""

    generation: int
    changelog: bytes
    older_checksum: int
    position: int

    def encode(self) -> bytes:
        """Return the row."""
        fields = (_MAGIC, self.generation, self.changelog, self.older_checksum, self.position)
        packed = _HEAD.pack(*fields, crc32(_HEAD.pack(*fields, 0)))
        return packed.ljust(KIND, b"\0") + bytes((HEAD,)) + bytes(ROW_BYTES - KIND - 1)

    def mark(self) -> BatchHeader:
        """Return the header that applies before the first batch."""
        return BatchHeader(1, crc32(self.encode()), self.position, ALL if self.generation == 1 else 0)


def changelog_digest(changelog: str) -> bytes:
    """Return the digest of the changelog's identity that the head stores."""
    return blake2b(changelog.encode(), digest_size=16).digest()


def decode_header(row: bytes, changelog: str) -> SegmentHeader:
    """Return the decoded row. Raises DamagedFile, also if it belongs to another changelog."""
    if len(row) < ROW_BYTES:
        raise DamagedFile("the file is shorter than its head")
    _, generation, digest, older_checksum, position, _ = _HEAD.unpack_from(row)
    head = SegmentHeader(generation, digest, older_checksum, position)
    if row != head.encode() or digest != changelog_digest(changelog):
        raise DamagedFile("the head of the file is damaged, or that of another changelog or version")
    return head
