from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.bad_record import BadRecord, Reason
from schemas.codec import (
    Codec,
    confluent_frame,
    decode_body,
    encode_body,
    encode_number,
    encode_text,
    frame_length,
    single_object_frame,
)
from schemas.record_schema import RecordSchema, load_schemas, record_schema, writer_schema
from tests.builders import a_click, a_link, an_action
from tests.click_parts import click_bytes, varint
from tests.schemas.java_style import EVERY_TYPE, as_java_registers
from tests.schemas.strategies import encodings, spoilt, values

SCHEMAS = load_schemas()
VALUES = {name: values(schema.parsed) for name, schema in SCHEMAS.items()}
NAMES = sorted(SCHEMAS)


def a_schema(*fields: tuple[str, Any]) -> RecordSchema:
    named = [{"name": name, "type": avro_type} for name, avro_type in fields]
    return record_schema({"type": "record", "name": "Thing", "namespace": "link_actions", "fields": named})


@pytest.mark.parametrize("name", NAMES)
def test_the_library_takes_a_schema_for_parsed_and_parses_it_no_more(name: str) -> None:
    assert parse_schema(SCHEMAS[name].parsed) is SCHEMAS[name].parsed


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_what_was_encoded_is_decoded_in_either_frame(name: str, data: st.DataObject) -> None:
    record = data.draw(VALUES[name])
    for codec in (Codec(SCHEMAS[name]), Codec(SCHEMAS[name], confluent_frame(77))):
        assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=250)
@given(data=st.data())
def test_whatever_the_bytes_are_they_are_decoded_or_a_bad_record(name: str, data: st.DataObject) -> None:
    codec = Codec(SCHEMAS[name])
    value = data.draw(spoilt(VALUES[name].map(codec.encode)))
    try:
        record = codec.decode(value)
    except BadRecord:
        return
    assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(body=st.binary(max_size=60) | st.lists(st.sampled_from([b"\x00", b"\x02", b"\x04ab"])).map(b"".join))
def test_a_body_of_garbage_is_decoded_or_a_bad_record(name: str, body: bytes) -> None:
    codec = Codec(SCHEMAS[name])
    try:
        record = codec.decode(codec.frame + body)
    except BadRecord:
        return
    assert codec.decode(codec.encode(record)) == record


@given(st.binary(max_size=30))
def test_bytes_of_any_kind_are_a_bad_record(value: bytes) -> None:
    with pytest.raises(BadRecord):
        Codec(SCHEMAS["LinkClicked"]).decode(value)


@pytest.mark.parametrize("end", range(0, 400, 7))
def test_a_definition_that_was_cut_off_anywhere_is_truncated(end: int) -> None:
    codec = Codec(SCHEMAS["LinkDefined"])
    whole = codec.encode(a_link(*(an_action("CreateFollowUp", slot=slot) for slot in range(8))))

    with pytest.raises(BadRecord) as bad:
        codec.decode(whole[:end])
    assert bad.value.reason in {Reason.TRUNCATED, Reason.EMPTY_VALUE}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"\x01\x02a", Reason.MALFORMED, id="index counted from the end"),
        pytest.param(b"\x06", Reason.MALFORMED, id="index beyond the last"),
        pytest.param(b"\x02\x02a!", Reason.TRAILING_BYTES, id="bytes after the record"),
        pytest.param(b"\x02\x82\x00a", Reason.MALFORMED, id="length in more bytes than it takes"),
        pytest.param(b"\x02\x01", Reason.MALFORMED, id="negative length"),
        pytest.param(b"\x02" + varint(2**40), Reason.TRUNCATED, id="more than there is"),
        pytest.param(b"\x02\x02\xff", Reason.INVALID_UTF8, id="no UTF-8"),
        pytest.param(b"", Reason.TRUNCATED, id="nothing"),
    ],
)
def test_what_fastavro_would_take_or_trip_over_is_a_bad_record(body: bytes, reason: Reason) -> None:
    codec = Codec(a_schema(("text", ["null", "string"])))

    with pytest.raises(BadRecord) as bad:
        codec.decode(codec.frame + body)
    assert bad.value.reason is reason


@pytest.mark.parametrize("body", [b"\x01", b"\x06", b"\x7f"])
def test_a_symbol_that_there_is_not_is_a_bad_record(body: bytes) -> None:
    codec = Codec(a_schema(("choice", {"type": "enum", "name": "Choice", "symbols": ["a", "b", "c"], "default": "a"})))

    with pytest.raises(BadRecord) as bad:
        codec.decode(codec.frame + body)
    assert bad.value.reason is Reason.MALFORMED


def test_a_list_of_more_items_than_there_are_bytes_ends_at_once() -> None:
    codec = Codec(a_schema(("items", {"type": "array", "items": "string"})))

    with pytest.raises(BadRecord):
        codec.decode(codec.frame + varint(2**60))


def test_a_later_version_is_read_as_the_one_that_is_known() -> None:
    known = SCHEMAS["LinkHits"]
    later = record_schema(
        known.definition | {"fields": [*known.definition["fields"], {"name": "later", "type": "string", "default": ""}]}
    )
    record = {"tenant_id": "a", "link_id": "b", "partition": 0, "epoch": 0, "clicks": 1, "first_clicks": 1}
    codec = Codec(known).allow([(confluent_frame(5), later)])

    assert codec.decode(confluent_frame(5) + encode_body(later.parsed, record | {"later": "x"})) == record


HITS_RECORD = {"tenant_id": "a", "link_id": "b", "partition": 0, "epoch": 0, "clicks": 1, "first_clicks": 1}


@pytest.mark.parametrize("later", EVERY_TYPE.values(), ids=EVERY_TYPE)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_field_of_any_type_that_others_append_is_left_out(later: Any, data: st.DataObject) -> None:
    known = SCHEMAS["LinkHits"]
    fields = [*known.definition["fields"], {"name": "later", "type": later}]
    writer = writer_schema(as_java_registers(known.definition | {"fields": fields}))
    codec = Codec(known).allow([(confluent_frame(5), writer), (single_object_frame(writer), writer)])
    body = encode_body(known.parsed, HITS_RECORD) + data.draw(encodings(writer.form["fields"][-1]["type"]))

    assert codec.decode(confluent_frame(5) + body) == HITS_RECORD
    assert codec.decode(single_object_frame(writer) + body) == HITS_RECORD
    with pytest.raises(BadRecord):
        codec.decode(confluent_frame(5) + body + b"\0")


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_what_others_encode_is_decoded_whatever_attributes_their_schema_has(name: str, data: st.DataObject) -> None:
    codec = Codec(SCHEMAS[name]).allow(
        [(confluent_frame(5), writer_schema(as_java_registers(SCHEMAS[name].definition)))]
    )
    record = data.draw(VALUES[name])

    assert codec.decode(confluent_frame(5) + encode_body(SCHEMAS[name].parsed, record)) == record


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_legal_bytes_are_decoded(name: str, data: st.DataObject) -> None:
    """An array may come in several blocks, with or without their size."""
    codec = Codec(SCHEMAS[name])

    record = codec.decode(codec.frame + data.draw(encodings(SCHEMAS[name].form)))

    assert codec.decode(codec.encode(record)) == record


def test_bytes_left_over_in_a_later_version_are_found() -> None:
    known, later = SCHEMAS["LinkHits"], record_schema(SCHEMAS["LinkHits"].definition | {"doc": "Later."})
    body = encode_body(
        later.parsed,
        dict.fromkeys(("tenant_id", "link_id"), "a") | {"partition": 0, "epoch": 0, "clicks": 0, "first_clicks": 0},
    )

    with pytest.raises(BadRecord, match="follow the record"):
        decode_body(later, known, body + b"\0")


def test_a_record_of_another_type_is_not_known() -> None:
    with pytest.raises(BadRecord, match="no schema is known"):
        Codec(SCHEMAS["SetField"]).decode(click_bytes(a_click()))


@pytest.mark.parametrize("record", [{}, {"tenant_id": 5}, a_click(clicked_at="now"), a_click(link_count=2**31)])
def test_a_record_that_does_not_fit_is_not_encoded(record: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Codec(SCHEMAS["LinkClicked"]).encode(record)


@given(st.binary(max_size=300) | st.integers(0, 20_000).map(bytes))
def test_a_text_is_encoded_as_fastavro_does(text: bytes) -> None:
    schema = a_schema(("text", "bytes"))

    assert encode_text(text) == encode_body(schema.parsed, {"text": text})


@pytest.mark.parametrize(
    ("value", "length"), [(b"\xc3\x01" + bytes(8), 10), (bytes(5), 5), (b"\xc3\x01" + bytes(20), 10), (bytes(9), 5)]
)
def test_a_frame_is_told_by_its_first_bytes(value: bytes, length: int) -> None:
    assert frame_length(value) == length


BORDERS = [sign * (2 ** (7 * size - 1) + nearby) for size in range(1, 10) for sign in (1, -1) for nearby in (-1, 0, 1)]
"""Where the encoding of a number gets a byte more: 63 and 64, 8,191 and 8,192, and so on up to 64 bits."""


@pytest.mark.parametrize("number", [0, *BORDERS, 2**63 - 1, -(2**63)])
def test_a_number_is_encoded_as_fastavro_does(number: int) -> None:
    written = BytesIO()
    schemaless_writer(written, {"type": "long"}, number)
    assert encode_number(number) == written.getvalue()


def test_the_first_byte_of_a_frame_alone_is_truncated() -> None:
    with pytest.raises(BadRecord) as bad:
        frame_length(b"\xc3")
    assert bad.value.reason is Reason.TRUNCATED
