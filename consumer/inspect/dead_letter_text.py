"""One dead letter in full, for a person or for a program."""

import json
from collections.abc import Iterator

from consumer.inspect.dead_letters import DeadLetter
from consumer.inspect.record_view import text_of, time_of
from runtime.terminal.text import counted, printable
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.record_schema import Json

SHOWN_BYTES = 4_096
ROW_BYTES = 16


def dead_letter_text(letter: DeadLetter, codec: Codec) -> Iterator[str]:
    """Yield lines: the dlq headers, the key and headers of the record, its bytes and decoded fields."""
    record = letter.record
    yield f"dead letter {record.place} of {record.topic}, {time_of(record.timestamp)} UTC"
    for name, fact in letter.facts.items():
        yield printable(f"  {name}: {fact}")
    yield printable(f"key: {'none' if record.key is None else text_of(record.key)}")
    for name, value in letter.headers:
        yield printable(f"header {name}: {text_of(value)}")
    yield "value: none" if record.value is None else f"value: {counted(len(record.value), 'byte')}"
    yield from hexdump(record.value or b"")
    decoded, problem = attempt(codec, record.value)
    yield printable(f"cannot be decoded: {problem}") if problem else "decoded:"
    for name, value in (decoded or {}).items():
        yield printable(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def dead_letter_json(letter: DeadLetter, codec: Codec) -> str:
    """Return one line with everything, the bytes in hexadecimal."""
    record = letter.record
    decoded, problem = attempt(codec, record.value)
    return json.dumps(
        {
            **letter.facts_in_json(),
            "key": text_of(record.key),
            "headers": [[name, text_of(value)] for name, value in letter.headers],
            "value_hex": None if record.value is None else record.value.hex(),
            "decoded": decoded,
            "problem": problem,
        }
    )


def attempt(codec: Codec, value: bytes | None) -> tuple[Json | None, str | None]:
    """Return the decoded record, or the reason why it cannot be decoded."""
    if value is None:
        return None, "there is no value"
    try:
        return codec.decode(value), None
    except BadRecord as bad:
        return None, str(bad)


def hexdump(value: bytes) -> Iterator[str]:
    """Yield the first bytes, sixteen per line: offset, hexadecimal and ASCII."""
    for offset in range(0, min(len(value), SHOWN_BYTES), ROW_BYTES):
        row = value[offset : offset + ROW_BYTES]
        text = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isprintable() else "." for byte in row)
        yield f"  {offset:08x}  {row.hex(' '):<{ROW_BYTES * 3}} {text}"
    if len(value) > SHOWN_BYTES:
        yield f"  … and {counted(len(value) - SHOWN_BYTES, 'byte')} more; use --json for all"
