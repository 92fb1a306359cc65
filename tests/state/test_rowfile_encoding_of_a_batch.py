"""A batch that ends with a note longer than a row is encoded like any other, and its short entries the fast way."""

import numpy as np
import pytest

from consumer.state.rowfile import encoding
from consumer.state.rowfile.encoding import Block, encode

SHORT = {bytes([number]) * 24: bytes(9) for number in range(1, 50)}
NOTE = {b"\x00partitions": bytes(60)}


def test_a_note_behind_short_entries_gives_the_rows_of_the_general_way() -> None:
    batch = {**SHORT, **NOTE}
    fast, general = encode(batch), encoding._encode_any(list(batch), list(batch.values()))

    assert np.array_equal(fast.rows[1:], general.rows[1:])
    assert np.array_equal(fast.entries, general.entries)


def test_the_general_way_takes_the_note_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    general = encoding._encode_any

    def noting(keys: list[bytes], values: list[bytes | None]) -> Block:
        taken.append(len(keys))
        return general(keys, values)

    monkeypatch.setattr(encoding, "_encode_any", noting)
    encode({**SHORT, **NOTE})

    assert taken == [1]
