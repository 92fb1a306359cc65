"""The header of a file, which is its row 0, and the headers of its batches."""

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from zlib import crc32

from runtime.state.rowfile.row import HEADER, KIND, ROW_BYTES

ALL = 0xFFFF_FFFF
"""Instead of a number of rows: all rows of the older file are compacted."""

_MAGIC = b"row\x01"
_HEADER = Struct("<4sI16sIqI")
"""Magic number with the version of the format, generation, digest of the changelog's identity, checksum at the end of
the older file, position there, checksum."""


class DamagedFile(Exception):
    """The header of the file is damaged or belongs to another changelog or version, so the file cannot be used."""


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Header of a batch, and its end. The header of the last batch tells the end of the file and its position."""

    end: int
    """Number of the row after the batch."""
    checksum: int
    position: int
    compacted_rows: int
    """Rows of the older file that are compacted, and so dead; ALL if all of them are, or if there is no older file."""


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
        packed = _HEADER.pack(*fields, crc32(_HEADER.pack(*fields, 0)))
        return packed.ljust(KIND, b"\0") + bytes((HEADER,)) + bytes(ROW_BYTES - KIND - 1)

    def before_first_batch(self) -> BatchHeader:
        """Return the header that counts as the last one as long as there is no batch."""
        return BatchHeader(1, crc32(self.encode()), self.position, ALL if self.generation == 1 else 0)


def changelog_digest(changelog: str) -> bytes:
    """Return the digest of the changelog's identity that the header stores."""
    return blake2b(changelog.encode(), digest_size=16).digest()


def decode_header(row: bytes, changelog: str) -> SegmentHeader:
    """Return the decoded row. Raises DamagedFile, also if it belongs to another changelog."""
    if len(row) < ROW_BYTES:
        raise DamagedFile("the file is shorter than its header")
    _, generation, digest, older_checksum, position, _ = _HEADER.unpack_from(row)
    header = SegmentHeader(generation, digest, older_checksum, position)
    if row != header.encode() or digest != changelog_digest(changelog):
        raise DamagedFile("the header of the file is damaged, or belongs to another changelog or version")
    return header
