"""The encodings do the same, whatever is in a token, a request or a payload."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.answered_click import AnsweredClick
from edge.click_encodings import ENCODINGS, ClickEncoding
from edge.client_address import Client
from runtime.records.implementation import PYTHON, C
from schemas.codec import single_object_frame
from schemas.token_payload import BadPayload, SentLink, pack, padded
from tests.edge.parts import CLICKS, SCHEMAS
from tests.schemas.strategies import spoilt

pytestmark = pytest.mark.skipif(C not in ENCODINGS, reason="there is no compiled encoding")

FRAME = single_object_frame(SCHEMAS["LinkClicked"])
COUNTS = st.integers(0, 2**31 - 1)
texts = st.text(min_size=1, max_size=300).filter(lambda text: text.strip() and "\x1f" not in text)
ids = (
    texts
    | st.uuids().map(str)
    | st.integers(1, 2**200).map(str)
    | st.text("x", min_size=64, max_size=9_000)
    | st.sampled_from(["r-1", "0", "007", "é", str(2**64 - 1), str(2**64)])
)
flows = st.tuples(ids, ids) | st.just((None, None))


@st.composite
def sent_links(draw: st.DrawFn) -> SentLink:
    flow_id, flow_run_id = draw(flows)
    return SentLink(
        draw(ids),
        draw(ids),
        person_id=draw(st.none() | ids),
        company_id=draw(st.none() | ids),
        mailing_id=draw(st.none() | ids),
        flow_id=flow_id,
        flow_run_id=flow_run_id,
        sent_at_ms=draw(st.none() | st.integers(1_704_067_200_000, 2**45)),
        link_count=draw(st.none() | COUNTS),
        is_test=draw(st.booleans()),
    )


headers = st.dictionaries(
    st.sampled_from([b"user-agent", b"sec-purpose", b"purpose", b"sec-fetch-mode", b"sec-fetch-user", b"host"]),
    st.sampled_from([b"", b"?1", b"?0", b"navigate", b"Mozilla/5.0", b"\xe4\x00\x7f", "é\u200b".encode()])
    | st.binary(max_size=1_100)
    | st.text(max_size=1_100).map(str.encode),
)
clicks = st.builds(
    AnsweredClick,
    tenant_id=ids,
    sent=sent_links(),
    link_version=COUNTS,
    click_id=st.uuids().map(str),
    clicked_at_ms=st.integers(0, 2**62),
    method=st.sampled_from(["GET", "POST", ""]),
    headers=headers,
    client=st.builds(Client, st.none() | texts, st.none() | texts),
    location=st.none() | st.binary(min_size=1, max_size=9_000).map(lambda raw: raw.hex().encode()),
    is_confirmed=st.booleans(),
    page_click_id=st.none() | st.uuids().map(str),
)
payloads = sent_links().map(pack)


def unpacked(encoding: ClickEncoding, payload: bytes) -> Any:
    try:
        return encoding.unpack(payload)
    except BadPayload as bad:
        return str(bad)


@given(payloads | payloads.map(padded) | spoilt(payloads) | st.binary(max_size=80))
def test_payloads_are_unpacked_alike(payload: bytes) -> None:
    found = unpacked(ENCODINGS[C], payload)
    assert found == unpacked(ENCODINGS[PYTHON], payload)
    assert type(found) in {SentLink, str}


@given(clicks)
def test_clicks_are_encoded_alike(click: AnsweredClick) -> None:
    encoded = ENCODINGS[C].encode_click(FRAME, click)
    assert encoded == ENCODINGS[PYTHON].encode_click(FRAME, click)
    assert CLICKS.decode(encoded)["click_id"] == click.click_id


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_number_keeps_its_type(name: str) -> None:
    sent = ENCODINGS[name].unpack(pack(SentLink("1", "r-1", link_count=7)))
    assert (sent.link_id, sent.link_count, sent.is_test) == ("1", 7, False)
