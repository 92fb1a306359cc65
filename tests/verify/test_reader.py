from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.verify.reader import NotReadable, Seen, decode, decode_update
from schemas.codec import Codec, confluent_frame
from schemas.record_schema import load_schemas
from tests.builders import a_click, a_link, an_action


def test_times_are_in_milliseconds() -> None:
    assert decode("LinkClicked", Codec(load_schemas()["LinkClicked"]).encode(a_click())) == a_click()


def test_unions_of_records_have_the_name_of_the_branch() -> None:
    link = a_link(an_action(), an_action("RunScript", slot=1))

    assert decode("LinkDefined", Codec(load_schemas()["LinkDefined"]).encode(link)) == link


def test_confluent_wire_format_is_read_with_any_id() -> None:
    value = Codec(load_schemas()["LinkClicked"], confluent_frame(77)).encode(a_click())

    assert decode("LinkClicked", value) == a_click()


def test_header_of_another_record_is_rejected() -> None:
    value = Codec(load_schemas()["LinkHits"]).encode(
        {"tenant_id": "a", "link_id": "b", "partition": 0, "epoch": 0, "clicks": 1, "first_clicks": 1}
    )
    with pytest.raises(NotReadable, match="is not that of LinkClicked"):
        decode("LinkClicked", value)


@given(st.binary(max_size=60))
def test_any_body_is_decoded_or_not_readable(body: bytes) -> None:
    with suppress(NotReadable):
        decode("SetField", b"\x00\x00\x00\x00\x01" + body)


def test_other_topics_have_no_updates() -> None:
    seen = Seen("link.hits.v1", 0, 0, 0, b"", b"", [])

    with pytest.raises(NotReadable, match=r"link\.hits\.v1 is not a topic of updates"):
        decode_update(seen)


def test_record_without_a_schema_is_not_readable() -> None:
    with pytest.raises(NotReadable, match="has the name Nothing"):
        decode("Nothing", b"\x00")
