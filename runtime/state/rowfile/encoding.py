"""Encodes entries as rows, and decodes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from runtime.state.rowfile.row import (
    CONTINUATION,
    DELETED,
    DIGEST,
    KEY_BYTES,
    KIND,
    LENGTH_BYTES,
    LONG,
    PAYLOAD_BYTES,
    ROW_BYTES,
    ROW_WORDS,
    VALUE,
    Numbers,
    Rows,
    as_bytes,
    key_length,
    row_key,
)

FollowingRows = Callable[[int, int], bytes]
"""Reads the bytes of rows, given the number of the first and their count."""
_MAX_RUNS = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Entries as rows. The first row is reserved for the batch header; `entries` are the first rows of the entries."""

    rows: Rows
    entries: Numbers


def encode(entries: Mapping[bytes, bytes | None]) -> Block:
    """Return the rows of the entries, in their order; a value of None makes a row that deletes.

    A batch ends with its checkpoint, which is longer than a row: it is encoded apart so that the others stay fast.
    """
    keys, values = list(entries), list(entries.values())
    last = values[-1] if values else None
    if len(keys) > 1 and last is not None and len(keys[-1]) + len(last) > PAYLOAD_BYTES:
        return _joined(_encode(keys[:-1], values[:-1]), _encode_any(keys[-1:], values[-1:]))
    return _encode(keys, values)


def _joined(one: Block, other: Block) -> Block:
    rows = np.concatenate([one.rows, other.rows[1:]])
    return Block(rows, np.concatenate([one.entries, other.entries + (len(one.rows) - 1)]))


def _encode(keys: list[bytes], values: list[bytes | None]) -> Block:
    try:
        key_lengths = np.frombuffer(bytes(map(len, keys)), dtype=np.uint8)
        value_lengths = np.frombuffer(bytes(map(len, values)), dtype=np.uint8)  # type: ignore[arg-type]  # see below
    except (TypeError, ValueError):  # a value of None, or a length above 255
        return _encode_any(keys, values)
    if (
        not keys
        or key_lengths.max() > KEY_BYTES
        or (key_lengths.astype(np.int64) + value_lengths).max() > PAYLOAD_BYTES
    ):
        return _encode_any(keys, values)
    shapes = key_lengths.astype(np.int64) << 8 | value_lengths
    starts = [0, *(np.flatnonzero(np.diff(shapes)) + 1).tolist(), len(keys)]
    if len(starts) > _MAX_RUNS:
        return _encode_any(keys, values)
    rows = np.zeros((len(keys) + 1, ROW_BYTES), dtype=np.uint8)
    for start, end in pairwise(starts):
        _fill(rows[start + 1 : end + 1], keys[start:end], values[start:end])  # type: ignore[arg-type]  # none is None
    rows[1:, KIND], rows[1:, VALUE] = key_lengths, value_lengths
    return Block(rows.view("<u8"), np.arange(1, len(rows)))


def values_of(rows: Rows, numbers: Numbers, following: FollowingRows) -> list[bytes]:
    """Return the value of each entry; `rows` are their first rows, `numbers` their row numbers."""
    block = as_bytes(rows)
    shapes = block[:, KIND].astype(np.int64) << 8 | block[:, VALUE]
    if len(shapes) and (shapes == shapes[0]).all():
        return _values_of_one_shape(block, numbers, int(shapes[0]), following)
    values: list[bytes] = [b""] * len(rows)
    for shape in sorted(set(shapes.tolist())):
        indices = np.flatnonzero(shapes == shape)
        for index, value in zip(
            indices.tolist(), _values_of_one_shape(block[indices], numbers[indices], shape, following), strict=True
        ):
            values[index] = value
    return values


def read_entry(row: bytes, number: int, following: FollowingRows) -> tuple[bytes, bytes]:
    """Return the whole key and the value of the entry that starts with this row."""
    kind = row[KIND]
    end = key_length(kind)
    if row[VALUE] != LONG:
        return row[:end], row[end : end + row[VALUE]]
    value = _long_value(row, number, following)
    if kind != DIGEST:
        return row[:end], value
    end = LENGTH_BYTES + int.from_bytes(value[:LENGTH_BYTES], "little")
    return value[LENGTH_BYTES:end], value[end:]


def rows_taken(rows: Rows) -> int:
    """Return how many rows the entries with these first rows take."""
    block = as_bytes(rows)
    return len(rows) + sum(
        _continuation_rows(_length_of_long(row.tobytes()), int(row[KIND])) for row in block[block[:, VALUE] == LONG]
    )


def _fill(
    block: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]", keys: Sequence[bytes], values: Sequence[bytes]
) -> None:
    """Encode keys of one length with values of one length; joining them is three times as fast as padding each."""
    size, end = len(keys[0]), len(keys[0]) + len(values[0])
    block[:, :size] = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), size)
    block[:, size:end] = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(keys), end - size)


def _encode_any(keys: Iterable[bytes], values: Iterable[bytes | None]) -> Block:
    parts, firsts, end = [bytes(ROW_BYTES)], [], 1
    for key, value in zip(keys, values, strict=True):
        part = _encode_entry(key, value)
        parts.append(part)
        firsts.append(end)
        end += len(part) // ROW_BYTES
    rows = np.frombuffer(bytearray().join(parts), dtype="<u8").reshape(-1, ROW_WORDS)
    return Block(rows, np.array(firsts, dtype=np.int64))


def _encode_entry(key: bytes, value: bytes | None) -> bytes:
    stored_key, kind = row_key(key)
    if value is None:
        return _row(stored_key, kind, DELETED)
    if kind == DIGEST:
        value = len(key).to_bytes(LENGTH_BYTES, "little") + key + value
    elif len(stored_key) + len(value) <= PAYLOAD_BYTES:
        return _row(stored_key + value, kind, len(value))
    content = stored_key + len(value).to_bytes(LENGTH_BYTES, "little") + value
    rest = range(PAYLOAD_BYTES, len(content), PAYLOAD_BYTES)
    continuations = [_row(content[start : start + PAYLOAD_BYTES], CONTINUATION, 0) for start in rest]
    return _row(content[:PAYLOAD_BYTES], kind, LONG) + b"".join(continuations)


def _row(payload: bytes, kind: int, value: int) -> bytes:
    return payload.ljust(KIND, b"\0") + bytes((kind, value)) + bytes(ROW_BYTES - VALUE - 1)


def _values_of_one_shape(
    block: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]", numbers: Numbers, shape: int, following: FollowingRows
) -> list[bytes]:
    start, length = key_length(shape >> 8), shape & 0xFF
    if length == LONG:
        rows = zip(block, numbers.tolist(), strict=True)
        return [read_entry(row.tobytes(), number, following)[1] for row, number in rows]
    if not length:
        return [b""] * len(block)
    values: list[bytes] = np.ascontiguousarray(block[:, start : start + length]).view(f"V{length}").ravel().tolist()
    return values


def _long_value(row: bytes, number: int, following: FollowingRows) -> bytes:
    start, length = key_length(row[KIND]) + LENGTH_BYTES, _length_of_long(row)
    count = _continuation_rows(length, row[KIND])
    block = np.frombuffer(following(number + 1, count), dtype=np.uint8).reshape(count, ROW_BYTES)
    return (row[start:PAYLOAD_BYTES] + block[:, :PAYLOAD_BYTES].tobytes())[:length]


def _length_of_long(row: bytes) -> int:
    start = key_length(row[KIND])
    return int.from_bytes(row[start : start + LENGTH_BYTES], "little")


def _continuation_rows(length: int, kind: int) -> int:
    return -(-(key_length(kind) + LENGTH_BYTES + length - PAYLOAD_BYTES) // PAYLOAD_BYTES)
