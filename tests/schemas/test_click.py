"""Clicks cut out of their bytes: one at a time against fastavro, and many at once against one at a time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.decision.core import Core
from consumer.decision.cores import CORES
from runtime.records.implementation import C
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout, ParsedClick, click_layout, parse_click
from schemas.click_batch import COMPANY, CONFIRMED, NO_VERSION, PAGE_CLICK, PERSON, REPLAYED, TEST, parse_clicks
from schemas.codec import Codec, confluent_frame, encode_body, encode_text, single_object_frame
from schemas.record_schema import RecordSchema, load_schemas, record_schema, writer_schema
from schemas.safety import UnsafeSchema
from tests.builders import NOON, Record, a_click
from tests.click_parts import click_bytes, click_parts, text, varint
from tests.schemas.java_style import EVERY_TYPE, as_java_registers
from tests.schemas.strategies import encodings, spoilt, values

CLICKED = load_schemas()["LinkClicked"]


def appended(*types: Any) -> RecordSchema:
    """A later version of LinkClicked, with fields of these types after all others."""
    fields = [{"name": f"later_{number}", "type": each} for number, each in enumerate(types)]
    return record_schema(CLICKED.definition | {"fields": [*CLICKED.definition["fields"], *fields]})


WALKED = appended("boolean", ["null", "int"], "long", ["null", "boolean"], "string", "int")
"""Appended fields of types that the walk knows."""
WITH_TAIL = appended(
    "int",
    {"type": "array", "items": "string"},
    ["null", "string", "long"],
    {"type": "map", "values": "double"},
    {"type": "enum", "name": "Later", "symbols": ["a", "b"]},
    ["null", {"type": "record", "name": "Part", "fields": [{"name": "x", "type": "bytes"}]}],
)
"""Appended fields that fastavro has to read."""
WRITERS = {
    single_object_frame(CLICKED): CLICKED,
    confluent_frame(1): CLICKED,
    confluent_frame(2): WALKED,
    confluent_frame(3): WITH_TAIL,
    single_object_frame(WALKED): WALKED,
    single_object_frame(CLICKED.earlier[0]): CLICKED.earlier[0],
}
LAYOUTS: Mapping[bytes, ClickLayout] = {frame: click_layout(schema) for frame, schema in WRITERS.items()}

OPTIONAL_IDS = ("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")
BLANKS = ("", " ", "\t", " \r\n")
WHITE_SPACE = " \t\n\r\v\f"

identities = (
    st.sampled_from(["acme", "x", "Zoë", "a" * 63, "b" * 64, "ünï" * 40, "r" * 8_190, " padded ", "\xa0", "\x01"])
    | st.text(st.characters(exclude_characters="\x1f/", codec="utf-8"), min_size=1, max_size=10)
).filter(lambda text: text.strip(WHITE_SPACE))
optional_ids = st.none() | st.sampled_from(BLANKS) | identities
well_formed = {
    "tenant_id": identities,
    "link_id": identities,
    "recipient_id": identities,
    "click_id": identities,
    **dict.fromkeys(OPTIONAL_IDS, optional_ids),
    "link_version": st.none() | st.integers(1, 300) | st.integers(1, 2**63 - 1),
}
"""Strategies for what a click must keep to beyond its schema."""


@st.composite
def encoded_clicks(draw: st.DrawFn) -> tuple[bytes, Record]:
    """Draw a good click of any version in any frame."""
    frame = draw(st.sampled_from(list(WRITERS)))
    record = draw(RECORDS[frame])
    return frame + encode_body(WRITERS[frame].parsed, record), record


RECORDS = {
    frame: st.builds(
        lambda record, changes: record | changes, values(schema.parsed), st.fixed_dictionaries(well_formed)
    )
    for frame, schema in WRITERS.items()
}
usual = st.builds(
    lambda number, **changes: click_bytes(a_click(number, **changes)),
    st.integers(0, 9),
    recipient_id=st.sampled_from(["r-1", "r-22", "Zoë"]),
    link_version=st.none() | st.integers(1, 200),
    test=st.booleans(),
    confirmed=st.booleans(),
    page_click_id=st.none() | st.just("c-0") | st.sampled_from(BLANKS),
    fetch_user=st.none() | st.booleans(),
    network_class=st.none() | st.just("isp"),
    replayed=st.booleans(),
    click_id=st.just("c-1") | st.sampled_from(BLANKS),
    person_id=st.none() | st.just("p-1") | st.sampled_from(BLANKS),
    mailing_id=st.none() | st.just("m-1") | st.sampled_from(BLANKS),
    flow_run_id=st.none() | st.just("m-1") | st.sampled_from(BLANKS),
    clicked_at=st.integers(NOON, NOON + 10**9),
)
good = usual | encoded_clicks().map(lambda drawn: drawn[0])
oddities = st.sampled_from([b"", b"\xc3", b"\xc3\x01", b"\x00", bytes(5), bytes(40), b"\xff" * 40, b"\n"])
any_value = usual | usual | good | spoilt(usual) | spoilt(good) | oddities | st.binary(max_size=20)


def cut_in_batch(core: Core, row: int) -> BadRecord | tuple[Any, ...]:
    """What the core says of one row."""
    if row in core.bad:
        return core.bad[row]
    clicks = core.clicks
    names = clicks.mailing_id(row), clicks.flow_id(row), clicks.flow_run_id(row)
    return *clicks.plan_key(row), *clicks.facts(row), clicks.click_id(row), *names


def as_in_batch(cut: ParsedClick) -> tuple[Any, ...]:
    return (
        cut.link_key,
        NO_VERSION if cut.link_version is None else cut.link_version,
        cut.key,
        cut.shared,
        cut.recipient_id,
        flags_of(cut),
        cut.clicked_at,
        cut.click_id,
        cut.mailing_id,
        cut.flow_id,
        cut.flow_run_id,
    )


def flags_of(cut: ParsedClick) -> int:
    flags = {
        TEST: cut.test,
        PERSON: cut.has_person,
        COMPANY: cut.has_company,
        CONFIRMED: cut.confirmed,
        PAGE_CLICK: cut.has_page_click,
        REPLAYED: cut.replayed,
    }
    return sum(flag for flag, holds in flags.items() if holds)


def cut_alone(value: bytes, layouts: Mapping[bytes, ClickLayout]) -> BadRecord | ParsedClick:
    try:
        return parse_click(value, layouts)
    except BadRecord as bad:
        return bad


def check_same(values: list[bytes], layouts: Mapping[bytes, ClickLayout] = LAYOUTS) -> None:
    alone = [cut_alone(value, layouts) for value in values]
    for open_core in CORES.values():
        check_as_alone(open_core(values, layouts), alone)


def check_as_alone(core: Core, alone: list[BadRecord | ParsedClick]) -> None:
    for row, wanted in enumerate(alone):
        found = cut_in_batch(core, row)
        if isinstance(wanted, BadRecord):
            assert isinstance(found, BadRecord)
            assert (found.reason, found.detail) == (wanted.reason, wanted.detail)
        else:
            assert found == as_in_batch(wanted)


@settings(deadline=None, max_examples=300)
@given(encoded_clicks())
def test_one_click_is_cut_as_fastavro_decodes_it(drawn: tuple[bytes, Record]) -> None:
    value, record = drawn

    cut = parse_click(value, LAYOUTS)

    record |= {name: None for name in OPTIONAL_IDS if not (record[name] or "").strip(WHITE_SPACE)}
    names = ("mailing_id", "flow_id", "flow_run_id")
    optional = {name: None if record[name] is None else record[name].encode() for name in names}
    assert cut.link_key == encode_text(record["tenant_id"].encode()) + encode_text(record["link_id"].encode())
    assert cut.key == f"{record['tenant_id']}/{record['recipient_id']}".encode()
    assert (cut.recipient_id, cut.click_id) == (record["recipient_id"].encode(), record["click_id"].encode())
    assert (cut.clicked_at, cut.link_version) == (record["clicked_at"], record["link_version"])
    assert (cut.has_person, cut.has_company) == (record["person_id"] is not None, record["company_id"] is not None)
    assert {name: getattr(cut, name) for name in names} == optional
    assert (cut.test, cut.confirmed) == (record["test"], record["confirmed"])
    assert cut.has_page_click == bool((record.get("page_click_id") or "").strip(WHITE_SPACE))
    assert cut.replayed == record.get("replayed", False)
    assert cut.shared == b"".join(list(click_parts(a_click() | record).values())[1:11])


@settings(deadline=None, max_examples=300)
@given(st.lists(any_value, min_size=1, max_size=8))
@example([b""])
@example([b"", b""])
@example([click_bytes(a_click()), b""])
@example([click_bytes(a_click()), b"\xc3"])
@example([click_bytes(a_click(recipient_id="r" * 8_191)), click_bytes(a_click(recipient_id="r" * 8_192))])
def test_many_clicks_are_cut_as_each_is_alone(values: list[bytes]) -> None:
    check_same(values)


@settings(deadline=None, max_examples=300)
@given(st.lists(usual | spoilt(usual), min_size=1, max_size=6))
def test_one_spoilt_click_among_usual_ones_is_cut_as_it_is_alone(values: list[bytes]) -> None:
    check_same(values)


@pytest.mark.parametrize("layout", [confluent_frame(2), confluent_frame(3)])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_clicks_of_a_later_version_are_cut_as_each_is_alone(layout: bytes, data: st.DataObject) -> None:
    whole = RECORDS[layout].map(lambda record: layout + encode_body(WRITERS[layout].parsed, record))

    check_same(data.draw(st.lists(whole | spoilt(whole), min_size=1, max_size=4)), {layout: LAYOUTS[layout]})


@pytest.mark.parametrize("later", EVERY_TYPE.values(), ids=EVERY_TYPE)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_an_appended_field_of_any_type_is_skipped(later: Any, data: st.DataObject) -> None:
    """In both frames, by every core, and as Java's Avro registers the schema."""
    fields = [*CLICKED.definition["fields"], {"name": "later", "type": later}, {"name": "last", "type": "string"}]
    writer = writer_schema(as_java_registers(CLICKED.definition | {"fields": fields}))
    appended = data.draw(encodings(writer.form["fields"][-2]["type"])) + text(b"end")
    known = parse_click(click_bytes(a_click()), LAYOUTS)

    for frame in (single_object_frame(writer), confluent_frame(9)):
        layouts = {frame: click_layout(writer)}
        value = frame + click_bytes(a_click(), frame=b"") + appended
        assert parse_click(value, layouts) == known
        check_same([value, value[:-1], value + b"\0", frame + click_bytes(a_click(), frame=b"")], layouts)
        check_same(data.draw(st.lists(spoilt(st.just(value)), min_size=1, max_size=3)), layouts)


def test_a_schema_with_attributes_is_walked_as_fast_as_one_without() -> None:
    assert click_layout(writer_schema(as_java_registers(CLICKED.definition))) == click_layout(CLICKED)


def test_a_usual_click_cut_off_or_changed_at_every_byte_is_cut_as_it_is_alone() -> None:
    whole = click_bytes(a_click(recipient_id="r-é", person_id=None))
    check_same([whole[:end] for end in range(len(whole) + 1)])
    for byte in (0x00, 0x01, 0x03, 0x1F, 0x2F, 0x7F, 0x80, 0xC3, 0xFF):
        check_same([whole[:place] + bytes([byte]) + whole[place + 1 :] for place in range(len(whole))])
        check_same([whole[:place] + bytes([byte]) + whole[place:] for place in range(len(whole) + 1)])


def test_every_bit_counts() -> None:
    whole = click_bytes(a_click())
    flipped = [int.from_bytes(whole, "big") ^ (1 << bit) for bit in range(8 * len(whole))]

    check_same([value.to_bytes(len(whole), "big") for value in flipped])


@pytest.mark.parametrize("field", ["tenant_id", "recipient_id", "click_id", "person_id", "user_agent", "page_click_id"])
@pytest.mark.parametrize("size", [0, 1, 63, 64, 127, 128, 8_191, 8_192, 20_000])
def test_texts_of_any_length_are_cut_alike(field: str, size: int) -> None:
    check_same([click_bytes(a_click(1) | {field: "x" * size}), click_bytes(a_click())])


@pytest.mark.parametrize(
    "number", [0, 1, -1, 63, 64, -64, -65, 2**27, 2**34, 2**55 - 1, 2**55, 2**62, 2**63 - 1, -(2**63)]
)
def test_numbers_of_any_length_are_cut_alike(number: int) -> None:
    check_same(
        [click_bytes(a_click(clicked_at=number, link_version=number, delivered_at=number)), click_bytes(a_click())]
    )


@pytest.mark.parametrize("last", [0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("more", [0, 1, 7, 8, 9, 10])
@pytest.mark.parametrize("field", ["link_id", "clicked_at", "link_version", "delivered_at"])
def test_numbers_that_are_too_long_or_too_large_are_found_alike(field: str, more: int, last: int) -> None:
    number = (b"\x02" if field in {"link_version", "delivered_at"} else b"") + b"\x80" * more + bytes([last])

    check_same([click_bytes(a_click(), **{field: number}), click_bytes(a_click())])


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**62])
def test_numbers_of_32_bits_are_held_to_them(number: int) -> None:
    check_same([click_bytes(a_click(), link_count=b"\x02" + varint(number)), click_bytes(a_click())])


@pytest.mark.parametrize("blank", [b"", b" ", b"\t\r\n", b"\x0b\x0c", b"\0", b"\xc2\xa0", b"\xc2\x85", b" x", b"x "])
@pytest.mark.parametrize(
    "field", ["tenant_id", "link_id", "recipient_id", "click_id", *OPTIONAL_IDS, "url", "page_click_id"]
)
def test_what_is_blank_or_looks_so_is_found_alike(field: str, blank: bytes) -> None:
    value = text(blank)
    part = value if field in {"tenant_id", "link_id", "recipient_id", "click_id"} else b"\x02" + value

    check_same([click_bytes(a_click(1)), click_bytes(a_click(2), **{field: part}), click_bytes(a_click(3))])


@pytest.mark.parametrize("field", [*OPTIONAL_IDS, "page_click_id"])
@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_id_is_an_absent_one(field: str, blank: str) -> None:
    told = parse_click(click_bytes(a_click(1) | {field: blank}), LAYOUTS)

    assert told == parse_click(click_bytes(a_click(1) | {field: None}), LAYOUTS)


@pytest.mark.parametrize("blank", BLANKS)
def test_a_click_without_an_id_is_bad_for_a_reason_of_its_own(blank: str) -> None:
    with pytest.raises(BadRecord) as bad:
        parse_click(click_bytes(a_click(click_id=blank)), LAYOUTS)

    assert bad.value.reason is Reason.CLICK_ID_MISSING


@pytest.mark.parametrize("field", ["click_id", "mailing_id", "flow_id", "flow_run_id"])
def test_an_id_that_an_update_id_is_made_of_holds_no_separator(field: str) -> None:
    """Else the mailing `flow U+001F 7 U+001F 42` would be the run 42 of the flow 7."""
    with pytest.raises(BadRecord) as bad:
        parse_click(click_bytes(a_click(1) | {field: "flow\x1f7\x1f42"}), LAYOUTS)

    assert bad.value.reason is Reason.IDENTITY_INVALID


@pytest.mark.parametrize("number", [2**31 - 1, -(2**31)])
def test_a_number_of_32_bits_may_be_the_largest_and_the_smallest(number: int) -> None:
    parse_click(click_bytes(a_click(link_count=number)), LAYOUTS)
    beyond = b"\x02" + varint(number + (1 if number > 0 else -1))
    with pytest.raises(BadRecord, match="does not fit 32 bits"):
        parse_click(click_bytes(a_click(), link_count=beyond), LAYOUTS)


@pytest.mark.parametrize("byte", [b"\x1f", b"/", b"\0", "é".encode(), b"\xff", b"\xc0\x80", b"\xed\xa0\x80"])
@pytest.mark.parametrize("field", ["tenant_id", "link_id", "recipient_id", "click_id", "mailing_id", "url"])
def test_bytes_that_may_stand_in_some_texts_only_are_found_alike(field: str, byte: bytes) -> None:
    value = text(b"a" + byte + b"b")
    part = value if field in {"tenant_id", "link_id", "recipient_id", "click_id"} else b"\x02" + value

    check_same([click_bytes(a_click(1)), click_bytes(a_click(2), **{field: part}), click_bytes(a_click(3))])
    check_same([click_bytes(a_click(2), **{field: part})])


class Unasked(dict[bytes, ClickLayout]):
    """Layouts of which only all may be asked, as a core does before it walks; `parse_click` looks one up."""

    def get(self, *_: Any) -> ClickLayout:
        raise AssertionError("a click was cut alone")


def test_what_the_batch_takes_by_itself_is_not_looked_at_again() -> None:
    """Were every click odd, everything above would hold and nothing would be fast."""
    usual = [a_click(number, recipient_id="r" * (number + 1)) for number in range(200)]
    rare = [
        a_click(test=True, confirmed=True, person_id=None, mailing_id=None, flow_id="f", link_version=2**40),
        a_click(page_click_id="c-0", fetch_mode=None, fetch_user=None, network_class="proxy", replayed=True),
        a_click(clicked_at=1, user_agent="x" * 8_191, link_count=-(2**31), link_id="a/b", url="a/b\x1f"),
    ]
    values = [click_bytes(click) for click in (*usual, *rare)]

    assert not parse_clicks(values, LAYOUTS)._odd
    if C in CORES:
        assert not CORES[C](values, Unasked(LAYOUTS)).bad


def test_schema_without_contract_fields_has_no_layout() -> None:
    fields = CLICKED.definition["fields"]
    swapped = record_schema(
        CLICKED.definition | {"fields": [fields[1], fields[4], *fields[:1], *fields[2:4], *fields[5:]]}
    )

    with pytest.raises(ValueError, match="first thirteen fields"):
        click_layout(swapped)
    with pytest.raises(ValueError, match="first thirteen fields"):
        click_layout(load_schemas()["SetField"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page_click_id", "string"),
        ("page_click_id", ["null", "bytes"]),
        ("replayed", ["null", "boolean"]),
        ("replayed", "int"),
    ],
)
def test_schema_with_another_type_of_an_appended_field_has_no_layout(name: str, kind: Any) -> None:
    fields = [field | {"type": kind} if field["name"] == name else field for field in CLICKED.definition["fields"]]

    with pytest.raises(ValueError, match=rf"the field {name} of \S*LinkClicked"):
        click_layout(writer_schema(CLICKED.definition | {"fields": fields}))


def test_appended_fields_are_found_by_name() -> None:
    """A writer may have appended fields of its own before."""
    first, *rest = CLICKED.definition["fields"][20:]
    own = {"name": "campaign", "type": ["null", "string"]}
    schema = writer_schema(
        CLICKED.definition | {"fields": [*CLICKED.definition["fields"][:20], *rest[::-1], own, first]}
    )
    layouts = {confluent_frame(8): click_layout(schema)}
    record = a_click(page_click_id="c-0", replayed=True) | {"campaign": "spring"}
    value = confluent_frame(8) + encode_body(schema.parsed, record)

    cut = parse_click(value, layouts)

    assert (cut.has_page_click, cut.replayed) == (True, True)
    check_same([value, value[:-1]], layouts)


def test_a_layout_is_made_of_safe_schemas_only() -> None:
    items = {"type": "array", "items": "null"}
    definition = CLICKED.definition | {"fields": [*CLICKED.definition["fields"], {"name": "bomb", "type": items}]}
    schema = replace(CLICKED, definition=definition)

    with pytest.raises(UnsafeSchema):
        click_layout(schema)


def test_a_click_that_the_codec_writes_is_a_click() -> None:
    value = Codec(CLICKED).encode(a_click())

    assert value == click_bytes(a_click())
    assert parse_click(value, LAYOUTS).key == b"acme/r-1"


@pytest.mark.parametrize("appended", [1, 70, 300])
@pytest.mark.parametrize(
    ("kind", "default"),
    [("long", 0), ("boolean", False), ("string", ""), (["null", "long"], None), (["null", "string"], None)],
)
def test_clicks_of_a_version_with_many_more_fields_are_cut_alike_wherever_they_end(
    kind: Any, default: object, appended: int
) -> None:
    """Each field of a click that is cut off is looked for behind its end."""
    names = [f"later_{number}" for number in range(appended)]
    fields = [{"name": name, "type": kind, "default": default, "doc": "Later."} for name in names]
    later = record_schema(CLICKED.definition | {"fields": [*CLICKED.definition["fields"], *fields]})
    frame = confluent_frame(4)
    whole = frame + encode_body(later.parsed, a_click() | dict.fromkeys(names, default))
    for end in (len(frame), len(frame) + 1, len(whole) - appended, len(whole) - 1, len(whole)):
        for batch in ([whole[:end]], [whole, whole[:end]], [whole[:end], whole]):
            check_same(batch, {frame: click_layout(later)})
