import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.decision.decision import Rules
from consumer.inspect.click_ndjson import ClickLines, EncodedClick
from consumer.inspect.ndjson import LINE_BYTES, InvalidLine
from schemas.codec import Codec
from schemas.record_schema import load_schemas

SCHEMA = load_schemas()["LinkClicked"]
LINES = ClickLines(Codec(SCHEMA), mint=lambda: "minted-id")


def a_line(**fields: Any) -> dict[str, Any]:
    return {
        "tenant_id": "acme",
        "link_id": "spring",
        "recipient_id": "r-1",
        "click_id": "c-1",
        "clicked_at": 1_763_800_000_000,
        **fields,
    }


def read(**fields: Any) -> EncodedClick:
    return LINES.read(json.dumps(a_line(**fields)).encode())


def decoded(click: EncodedClick) -> dict[str, Any]:
    return Codec(SCHEMA).decode(click.value)


def test_a_line_with_every_field_becomes_that_click() -> None:
    fields = a_line(
        person_id="p", company_id="c", mailing_id="m", flow_id="f", flow_run_id="fr", link_version=3, test=True,
        confirmed=True, url="https://x", http_method="GET", user_agent="ua", purpose="prefetch", network="192.0.2.0/24",
        delivered_at=1_763_700_000_000, link_count=4, page_click_id="c-0", fetch_mode="navigate", fetch_user=False,
        network_class="hosting", replayed=True,
    )  # fmt: skip

    assert decoded(read(**fields)) == fields


def test_the_record_key_is_tenant_and_recipient() -> None:
    assert read(recipient_id="r/ü").key == "acme/r/ü".encode()


def test_omitted_field_has_its_default() -> None:
    record = decoded(read())

    assert record["person_id"] is None
    assert record["test"] is False


def test_click_without_id_gets_a_minted_one() -> None:
    line = a_line()
    del line["click_id"]
    click = LINES.read(json.dumps(line).encode())

    assert click.minted
    assert decoded(click)["click_id"] == "minted-id"
    assert read(click_id=None).minted
    assert not read().minted


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n"])
def test_a_blank_click_id_is_minted(blank: str) -> None:
    click = read(click_id=blank)

    assert click.minted
    assert decoded(click)["click_id"] == "minted-id"


NEEDED = ("tenant_id", "link_id", "recipient_id", "clicked_at")


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_text_is_an_omitted_field(blank: str) -> None:
    """A CSV export writes one for every unknown value, also of numbers and times."""
    optional = [field["name"] for field in SCHEMA.definition["fields"] if field["name"] not in (*NEEDED, "click_id")]

    assert read(**dict.fromkeys(optional, blank)) == read()


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("name", NEEDED)
def test_blank_required_text_is_missing(name: str, blank: str) -> None:
    with pytest.raises(InvalidLine, match=f"{name} is missing"):
        read(**{name: blank})


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1_763_800_000_123, 1_763_800_000_123),
        ("2025-11-22T08:26:40.123Z", 1_763_800_000_123),
        ("2025-11-22T09:26:40.123+01:00", 1_763_800_000_123),
        ("2025-11-22T08:26:40.123999Z", 1_763_800_000_123),
        ("20251122T082640.123Z", 1_763_800_000_123),
    ],
)
def test_times_are_milliseconds_or_iso_8601(time: Any, expected: int) -> None:
    assert decoded(read(clicked_at=time))["clicked_at"] == expected


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tennant_id": "x"}, "a click has no field 'tennant_id'; did you mean 'tenant_id'?"),
        ({"zzz": "x"}, "a click has no field 'zzz'; fields are tenant_id"),
        ({"recipient_id": None}, "recipient_id is missing"),
        ({"recipient_id": 17}, "recipient_id must be text in quotes"),
        ({"tenant_id": "a/b"}, "tenant_id holds a slash"),
        ({"link_id": "a\x1fb"}, "U+001F"),
        ({"link_id": "\ud800"}, "surrogate"),
        ({"test": 1}, "test must be true or false"),
        ({"link_version": "3"}, "link_version must be a whole number"),
        ({"link_version": 2**63}, "link_version must be a whole number that fits 64 bits"),
        ({"link_count": 2**31}, "link_count must be a whole number that fits 32 bits"),
        ({"link_count": True}, "link_count must be a whole number"),
        ({"clicked_at": 1.5}, "clicked_at must be a whole number"),
        ({"clicked_at": 1_763_800_000}, "looks like seconds"),
        ({"clicked_at": 0}, "is before the year 2000 or after 2100"),
        ({"clicked_at": "1999-12-31T23:59:59Z"}, "is before the year 2000 or after 2100"),
        ({"clicked_at": "2100-01-01T00:00:01Z"}, "is before the year 2000 or after 2100"),
        (
            {"clicked_at": 1_763_800_000_123_456},
            "looks like microseconds; times are milliseconds since 1970: divide by 1,000,",
        ),
        (
            {"clicked_at": 1_763_800_000_123_456_789},
            "looks like nanoseconds; times are milliseconds since 1970: divide by 1,0",
        ),
        ({"delivered_at": 1_763_800_000_123_456}, "delivered_at looks like microseconds"),
        ({"clicked_at": 50_000_000_000_000}, "is before the year 2000 or after 2100"),
        ({"clicked_at": "yesterday"}, "is not a time"),
        ({"clicked_at": "2025-11-22T08:26:40"}, "has no time zone"),
        ({"person_id": {"a": 1}}, "person_id must be text"),
        ({"fetch_user": "?1"}, "fetch_user must be true or false"),
        ({"replayed": 1}, "replayed must be true or false"),
    ],
)
def test_invalid_field_message(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidLine) as raised:
        read(**fields)

    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "not JSON from column 2 on"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"link_id": "a", "link_id": "b"}', "a field is repeated"),
        (b"[" * 60_000, "nested too deep"),
        (b'{"clicked_at": ' + b"9" * 5_000 + b"}", "a number has thousands of digits"),
        (b" " * 70_000, "longer than 65536 bytes"),
    ],
)
def test_invalid_line_message(line: bytes, sentence: str) -> None:
    with pytest.raises(InvalidLine) as raised:
        LINES.read(line)

    assert sentence in str(raised.value)


def test_message_repeats_no_value() -> None:
    with pytest.raises(InvalidLine) as raised:
        read(clicked_at="somebody@example.com")

    assert "somebody" not in str(raised.value)


def test_a_line_may_be_as_long_as_a_click() -> None:
    assert Rules(partitions=1).max_click_bytes == LINE_BYTES


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_invalid_line(line: bytes) -> None:
    with pytest.raises(InvalidLine):
        LINES.read(line)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(st.sampled_from([field["name"] for field in SCHEMA.definition["fields"]]), JSON_VALUES)
def test_any_field_value_is_a_click_or_an_invalid_line(name: str, value: Any) -> None:
    try:
        click = read(**{name: value})
    except InvalidLine:
        return
    assert decoded(click)


@given(st.integers(1_000_000_000_000, 4_102_444_800_000), st.sampled_from([0, 60, -570]))
@example(2_163_934_114_568, 0)
def test_an_iso_time_is_exact_to_the_millisecond(milliseconds: int, offset_minutes: int) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))
    time = datetime.fromtimestamp(milliseconds // 1000, zone) + timedelta(milliseconds=milliseconds % 1000)

    assert decoded(read(clicked_at=time.isoformat(timespec="milliseconds")))["clicked_at"] == milliseconds


def test_every_millisecond_of_a_second_is_distinct() -> None:
    times = [f"2025-11-22T08:26:40.{millisecond:03}Z" for millisecond in range(1_000)]

    assert [decoded(read(clicked_at=time))["clicked_at"] for time in times] == [
        1_763_800_000_000 + millisecond for millisecond in range(1_000)
    ]
