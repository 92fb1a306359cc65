"""The row: 48 bytes, the same in the file and in memory as six words.

    0-41    the key, directly followed by the value, then zeros
    42      length of the key, up to 38; larger numbers are the kind of row
    43      length of the value, up to 42; larger numbers say where the value is
    44-47   number of the row that this one replaces, little-endian; 0 if the key is new

Row 0 of a file is its header, so 0 is no entry's number. If a value does not fit, its length (4 bytes) follows the
key and the value continues in the next rows. If a key does not fit, its digest represents it, and the whole key
precedes the value.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from runtime.records.packed_keys import PackedKeys

Rows = NDArray[np.uint64]
"""Rows as words, six in each."""
Numbers = NDArray[np.int64]
"""Row numbers, or positions in a batch."""
Hashes = NDArray[np.uint32]
Mask = NDArray[np.bool_]

ROW_BYTES = 48
ROW_WORDS = 6
PAYLOAD_BYTES = 42
KEY_BYTES = 38
"""Longest key stored whole in a row: the length of a long value must fit after it."""

KIND, VALUE, REPLACES = 42, 43, 11
"""Columns: two of bytes, and one of 32-bit words."""

DIGEST = 39
"""Kind: the key is the digest of a longer one, which starts the value."""
HEADER, BATCH, CONTINUATION = 253, 254, 255
"""Kinds of rows that start no entry."""
LONG, DELETED = 254, 255
"""Instead of the value's length: the value continues in the next rows; the key is deleted."""

LENGTH_BYTES = 4
_DIGEST_BYTES = 32
MULTIPLIERS = np.frombuffer(blake2b(b"rows", digest_size=ROW_BYTES).digest(), dtype="<u8") | np.uint64(1)
FINISHER = np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(32)


def _masks() -> Rows:
    masks = np.zeros((DIGEST + 1, ROW_BYTES), dtype=np.uint8)
    for length in range(KEY_BYTES + 1):
        masks[length, :length] = 0xFF
    masks[DIGEST, :_DIGEST_BYTES] = 0xFF
    masks[:, KIND] = 0xFF
    return masks.view("<u8")


KEY_MASKS = _masks()
"""For each kind of entry the mask of the key in a row; the kind is part of the key."""


def as_bytes(rows: Rows) -> NDArray[np.uint8]:
    """Return the same rows by bytes."""
    return rows.view(np.uint8)


def as_numbers(rows: Rows) -> NDArray[np.uint32]:
    """Return the same rows by words of 32 bits."""
    return rows.view("<u4")


def row_key(key: bytes) -> tuple[bytes, int]:
    """Return the key or its digest, as a row stores it, and the kind."""
    if len(key) <= KEY_BYTES:
        return key, len(key)
    return blake2b(key, digest_size=_DIGEST_BYTES).digest(), DIGEST


def key_length(kind: int) -> int:
    """Return how many bytes represent the key in a row of this kind."""
    return _DIGEST_BYTES if kind == DIGEST else kind


def key_rows(keys: Sequence[bytes]) -> Rows:
    """Return a row for each key with only the key in it, as `key_part` leaves it."""
    if isinstance(keys, PackedKeys):
        lengths, joined = {keys.size}, keys.joined
    else:
        lengths, joined = set(map(len, keys)), b"".join(keys)
    if len(lengths) == 1 and (length := lengths.pop()) <= KEY_BYTES:
        block = np.zeros((len(keys), ROW_BYTES), dtype=np.uint8)
        block[:, :length] = np.frombuffer(joined, dtype=np.uint8).reshape(len(keys), length)
        block[:, KIND] = length
        alike: Rows = block.view(np.uint64)
        return alike
    parts = [row_key(key) for key in keys]
    rows = np.frombuffer(bytearray().join([part.ljust(ROW_BYTES, b"\0") for part, _ in parts]), dtype=np.uint64)
    rows = rows.reshape(len(keys), ROW_WORDS)
    as_bytes(rows)[:, KIND] = [kind for _, kind in parts]
    return rows


def key_part(rows: Rows) -> Rows:
    """Return the rows of entries with all but key and kind blanked out."""
    kinds = as_bytes(rows)[:, KIND]
    is_alike = len(kinds) and (kinds == kinds[0]).all()
    parts: Rows = rows & (KEY_MASKS[kinds[0]] if is_alike else KEY_MASKS[kinds])
    return parts


def hash_keys(keys: Rows) -> Hashes:
    """Return 32 bits for each row of `key_rows` or `key_part`, uniform in every bit."""
    mixed = keys @ MULTIPLIERS
    mixed ^= mixed >> _HALF
    mixed *= FINISHER
    return (mixed >> _HALF).astype(np.uint32)


def are_equal(some: Rows, others: Rows) -> Mask:
    """Return for each pair of rows whether they are equal; by column, which is four times as fast as `all`."""
    equal: Mask = some[:, 0] == others[:, 0]
    for word in range(1, ROW_WORDS):
        equal &= some[:, word] == others[:, word]
    return equal


def is_entry(rows: Rows) -> Mask:
    """Return which rows start an entry with a value."""
    block = as_bytes(rows)
    is_one: Mask = (block[:, KIND] <= DIGEST) & (block[:, VALUE] != DELETED)
    return is_one
