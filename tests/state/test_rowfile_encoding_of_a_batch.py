"""A batch that ends with a checkpoint, which is longer than a row, is encoded like any other, and as fast."""

import numpy as np
import pytest

from runtime.state.rowfile import encoding
from runtime.state.rowfile.encoding import Block, encode
from tests.support.compiled import needs_compiled_parts

SHORT: dict[bytes, bytes | None] = {bytes([number]) * 24: bytes(9) for number in range(1, 50)}
CHECKPOINT: dict[bytes, bytes | None] = {b"\x00partitions": bytes(60)}


def test_a_checkpoint_after_short_entries() -> None:
    batch = {**SHORT, **CHECKPOINT}
    fast, general = encode(batch), encoding._encode_any(list(batch), list(batch.values()))

    assert np.array_equal(fast.rows[1:], general.rows[1:])
    assert np.array_equal(fast.entries, general.entries)


def test_only_the_checkpoint_is_encoded_by_the_general_function(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    general = encoding._encode_any

    def noting(keys: list[bytes], values: list[bytes | None]) -> Block:
        taken.append(len(keys))
        return general(keys, values)

    monkeypatch.setattr(encoding, "_encode_any", noting)
    encode({**SHORT, **CHECKPOINT})

    assert taken == [1]


@pytest.mark.parametrize(
    "batch",
    [
        {**SHORT, **CHECKPOINT},
        CHECKPOINT,
        {**SHORT, **CHECKPOINT, b"k" * 24: b"short again"},
        {**SHORT, b"gone": None, b"k" * 60: b"a long key"},
        {b"l" * 24: bytes(300), **SHORT, **CHECKPOINT},
        SHORT,
        {},
    ],
)
def test_both_implementations_encode_alike(batch: dict[bytes, bytes | None]) -> None:
    matcher_c = needs_compiled_parts("runtime.state.rowfile.matcher_c")

    compiled, python = matcher_c.Matcher(None, None).encode(batch), encode(batch)

    assert np.array_equal(compiled.rows[1:], python.rows[1:])
    assert np.array_equal(compiled.entries, python.entries)


def test_the_compiled_implementation_leaves_only_the_checkpoint_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher_c = needs_compiled_parts("runtime.state.rowfile.matcher_c")
    taken: list[int] = []

    def noting(entries: dict[bytes, bytes | None]) -> Block:
        taken.append(len(entries))
        return encode(entries)

    monkeypatch.setattr(matcher_c, "encode", noting)
    matcher_c.Matcher(None, None).encode({**SHORT, **CHECKPOINT})

    assert taken == [1]
