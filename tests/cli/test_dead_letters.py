import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.inspect.dead_letter_text import dead_letter_json, dead_letter_text, hexdump
from consumer.inspect.dead_letters import dead_letter, parse_place, replay_of
from consumer.inspect.record_view import RecordView, text_of, time_of
from schemas.click import click_layout
from schemas.codec import Codec, single_object_frame
from schemas.identity import partition_of
from schemas.record_schema import load_schemas

SCHEMA = load_schemas()["LinkClicked"]
CODEC = Codec(SCHEMA)
LAYOUTS = {single_object_frame(SCHEMA): click_layout(SCHEMA)}
PARTITIONS = 12
REASON: tuple[tuple[str, bytes | None], ...] = (
    ("dlq.reason", b"unknown_version"),
    ("dlq.topic", b"link.clicks.v1"),
    ("dlq.partition", b"4"),
    ("dlq.offset", b"17"),
    ("dlq.timestamp", b"1763800000000"),
    ("dlq.version", b"0.1.0"),
    ("dlq.detail", b"version 9 is not known"),
)
CLICK: dict[str, Any] = dict.fromkeys((field["name"] for field in SCHEMA.definition["fields"]), None) | {
    "tenant_id": "acme",
    "link_id": "spring",
    "recipient_id": "r-1",
    "click_id": "c-1",
    "clicked_at": 1_763_800_000_000,
    "test": False,
    "confirmed": False,
    "replayed": False,
}


def a_record(**fields: Any) -> RecordView:
    record = RecordView(
        topic="link.clicks.dlq.v1",
        partition=4,
        offset=2,
        timestamp=1_763_800_000_000,
        key=b"acme/r-1",
        headers=REASON,
        value=CODEC.encode(CLICK),
    )
    return replace(record, **fields)


def test_original_headers_are_separated_from_dlq_headers() -> None:
    letter = dead_letter(a_record(headers=(("trace", b"1"), *REASON)))

    assert letter.headers == (("trace", b"1"),)
    assert letter.reason == "unknown_version"
    assert letter.facts["detail"] == "version 9 is not known"


def test_last_reason_of_a_repeated_failure_counts() -> None:
    again = (*REASON, ("dlq.replayed", b"4:1"), ("dlq.reason", b"timestamp_out_of_range"), ("dlq.detail", b"x"))
    letter = dead_letter(a_record(headers=again))

    assert letter.reason == "timestamp_out_of_range"
    assert dict(letter.headers)["dlq.reason"] == b"unknown_version"


def test_foreign_record_has_no_reason() -> None:
    letter = dead_letter(a_record(headers=(("trace", None),)))

    assert letter.reason == "unknown"
    assert letter.headers == (("trace", None),)


def test_replay_is_the_original_record_with_a_header() -> None:
    record = a_record(headers=(("trace", b"1"), ("trace", b"2"), *REASON))
    click = replay_of(dead_letter(record), LAYOUTS, PARTITIONS)

    assert (click.key, click.value) == (record.key, record.value)
    assert click.headers == [("trace", b"1"), ("trace", b"2"), ("dlq.replayed", b"4:2")]
    assert click.partition == partition_of(b"acme/r-1", PARTITIONS)


def test_second_replay_names_the_first_dead_letter() -> None:
    record = a_record(headers=(*REASON, ("dlq.replayed", b"1:1"), *REASON))

    assert replay_of(dead_letter(record), LAYOUTS, PARTITIONS).headers == [("dlq.replayed", b"1:1")]
    assert dead_letter(record).copy_of == "1:1"


@pytest.mark.parametrize("place", [b"", b"x", b"\xff", None])
def test_invalid_replay_header_is_not_a_copy(place: bytes | None) -> None:
    assert dead_letter(a_record(headers=(("dlq.replayed", place), *REASON))).copy_of is None


def test_foreign_numbers_are_null_in_json() -> None:
    letter = dead_letter(a_record(headers=(("dlq.reason", b"x"), ("dlq.offset", "\u0661".encode()))))

    assert letter.facts_in_json()["original"] == {"topic": None, "partition": None, "offset": None, "timestamp": None}


def test_replay_without_key_goes_to_partition_of_identity() -> None:
    click = replay_of(dead_letter(a_record(key=None)), LAYOUTS, PARTITIONS)

    assert click.key is None
    assert click.partition == partition_of(b"acme/r-1", PARTITIONS)


@pytest.mark.parametrize("value", [None, b"", b"\xff" * 9])
def test_replay_without_key_and_identity_has_no_partition(value: bytes | None) -> None:
    click = replay_of(dead_letter(a_record(key=None, value=value)), LAYOUTS, PARTITIONS)

    assert click.partition is None
    assert click.value == value


@pytest.mark.parametrize("text", ["", "1", "1:", "1:-1", "a:b", "1:2:3", "9999999999:1", "1:2 "])
def test_invalid_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not PARTITION:OFFSET"):
        parse_place(text)


def test_place_is_partition_and_offset() -> None:
    assert parse_place("3:1042") == (3, 1042)


def test_text_shows_facts_bytes_and_decoded_fields() -> None:
    text = "\n".join(dead_letter_text(dead_letter(a_record(headers=(("trace", b"\xff"), *REASON))), CODEC))

    assert "dead letter 4:2" in text
    assert "reason: unknown_version" in text
    assert "header trace: \\xff" in text
    assert "00000000  c3 01" in text
    assert 'recipient_id: "r-1"' in text


def test_undecodable_letter_says_why() -> None:
    lines = list(dead_letter_text(dead_letter(a_record(key=None, value=b"\x1b[31mred")), CODEC))

    assert "key: none" in lines
    assert lines[-1].startswith("cannot be decoded: unknown_frame")
    assert not any("\x1b" in line for line in lines)
    assert (
        list(dead_letter_text(dead_letter(a_record(value=None)), CODEC))[-1] == "cannot be decoded: there is no value"
    )


def test_json_has_all_bytes() -> None:
    record = a_record()
    shown = json.loads(dead_letter_json(dead_letter(record), CODEC))

    assert bytes.fromhex(shown["value_hex"]) == record.value
    assert shown["decoded"]["link_id"] == "spring"
    assert shown["original"] == {
        "topic": "link.clicks.v1", "partition": 4, "offset": 17, "timestamp": 1_763_800_000_000,
    }  # fmt: skip
    assert json.loads(dead_letter_json(dead_letter(a_record(value=b"x")), CODEC))["problem"].startswith("unknown_frame")


def test_long_value_is_dumped_in_part() -> None:
    lines = list(hexdump(bytes(5_000)))

    assert len(lines) == 257
    assert lines[-1] == "  … and 904 bytes more; use --json for all"
    assert list(hexdump(b"AB\x00\xff")) == ["  00000000  41 42 00 ff                                      AB.."]


def test_binary_bytes_are_shown_in_hexadecimal() -> None:
    assert text_of(b"\xffx") == "\\xffx"
    assert text_of(None) is None


def test_times_are_utc_and_invalid_ones_stay_numbers() -> None:
    assert time_of(1_763_800_000_000) == "2025-11-22 08:26:40"
    assert time_of(10**18) == "1000000000000000000"


def test_json_line_has_exactly_the_promised_fields() -> None:
    line = json.loads(a_record(headers=(("a", b"1"), ("a", b"2"))).json_line({"x": 1}))

    assert list(line) == ["topic", "partition", "offset", "timestamp", "key", "headers", "value"]
    assert line["key"] == "acme/r-1"
    assert line["headers"] == {"a": "2"}
