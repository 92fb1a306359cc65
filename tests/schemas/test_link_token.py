import base64
import json
from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import link_token
from schemas.link_token import (
    ASSOCIATED_DATA,
    MAX_TOKEN_CHARACTERS,
    BadToken,
    LinkKey,
    derive_key,
    link_url,
    open_token,
    sign,
)
from schemas.token_payload import EPOCH_MS, BadPayload, SentLink, pack, unpack
from tests.schemas import siv

KEY = derive_key(b"the master of these tests".ljust(32), 0x3A2B3C4D, "acme")
KEYS = {KEY.key_id: KEY}
VECTORS = json.loads((Path(link_token.__file__).parent / "link_token_vectors.json").read_text())

ids = st.one_of(
    st.text(min_size=1, max_size=70).filter(lambda text: text.encode().strip() and "\x1f" not in text),
    st.integers(1, 10**40).map(str),
    st.uuids().map(str),
    st.sampled_from(["0", "007", "1" * 151, "9" * 152, "x" * 64, "ABCDEF00-0000-0000-0000-000000000000"]),
)
optional = st.none() | ids


@st.composite
def sent_links(draw: st.DrawFn) -> SentLink:
    flow_id = draw(optional)
    minutes = draw(st.none() | st.integers(0, 10**8))
    return SentLink(
        link_id=draw(ids),
        recipient_id=draw(ids),
        person_id=draw(optional),
        company_id=draw(optional),
        mailing_id=draw(optional),
        flow_id=flow_id,
        flow_run_id=None if flow_id is None else draw(ids),
        sent_at_ms=None if minutes is None else EPOCH_MS + minutes * 60_000,
        link_count=draw(st.none() | st.integers(0, 2**31 - 1)),
        is_test=draw(st.booleans()),
    )


@given(sent_links())
def test_round_trip(sent: SentLink) -> None:
    assert open_token(sign(KEY, sent), KEYS) == (KEY, sent)


@given(sent_links())
def test_last_character_is_never_punctuation(sent: SentLink) -> None:
    """Mail programs that make links of plain text leave `-` and `_` at its end out."""
    token = sign(KEY, sent)
    assert set(token) <= set(ascii_letters + digits + "-_")
    assert token[-1] in ascii_letters + digits


@given(sent_links())
def test_bytes_equal_rfc_5297(sent: SentLink) -> None:
    raw = base64.urlsafe_b64decode(sign(KEY, sent) + "==")
    payload = KEY.cipher.decrypt(raw[5:], [ASSOCIATED_DATA])

    assert raw == b"\x01" + KEY.key_id.to_bytes(4, "big") + siv.encrypt(KEY.secret, payload, ASSOCIATED_DATA)


def test_siv_of_the_tests_meets_the_vector_of_the_rfc() -> None:
    """RFC 5297, appendix A.1."""
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    sealed = siv.encrypt(key, bytes.fromhex("112233445566778899aabbccddee"), associated)

    assert sealed.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda vector: vector["name"])
def test_golden_vectors(vector: dict[str, object]) -> None:
    """A link that is out must open for ever: these never change."""
    master = bytes.fromhex(VECTORS["master"])
    key = derive_key(master, VECTORS["key_id"], VECTORS["tenant_id"])
    sent = SentLink(**vector["fields"])  # type: ignore[arg-type]

    assert key.secret.hex() == VECTORS["key"]
    assert sign(key, sent) == vector["token"]
    assert open_token(str(vector["token"]), {key.key_id: key}) == (key, sent)


def test_every_changed_character_is_refused() -> None:
    token = sign(KEY, SentLink("1234", "987654", mailing_id="4242"))
    for position, right in enumerate(token):
        for wrong in {"A", "z", "-", "=", " ", "+"} - {right}:
            with pytest.raises(BadToken):
                open_token(token[:position] + wrong + token[position + 1 :], KEYS)


def test_stray_bits_in_the_last_character_are_refused() -> None:
    token = sign(KEY, SentLink("1234", "987654"))
    opened = [last for last in ascii_letters + digits + "-_" if _opens(token[:-1] + last)]
    assert opened == [token[-1]]


@pytest.mark.parametrize(
    "text", ["", "A", "ATorPE0", "x" * (MAX_TOKEN_CHARACTERS + 1), "ä" * 40, "\x00" * 40, "=" * 40]
)
def test_texts_that_are_no_tokens(text: str) -> None:
    assert not _opens(text)


@given(st.text(max_size=200) | st.text(ascii_letters + digits + "-_", max_size=200))
@example(base64.urlsafe_b64encode(b"\x02" + bytes(40)).decode())
def test_no_text_raises_anything_else(text: str) -> None:
    assert not _opens(text)


def test_key_of_another_tenant() -> None:
    other = derive_key(b"the master of these tests".ljust(32), KEY.key_id, "globex")
    with pytest.raises(BadToken, match="damaged or forged"):
        open_token(sign(other, SentLink("1", "2")), KEYS)


def test_unknown_key() -> None:
    with pytest.raises(BadToken, match="key is not known"):
        open_token(sign(KEY, SentLink("1", "2")), {})


@pytest.mark.parametrize("id_", ["", " ", "\t\n", "a\x1fb", "\ud800"])
@pytest.mark.parametrize("place", ["link_id", "recipient_id", "person_id", "company_id", "mailing_id"])
def test_an_id_that_no_click_may_have_is_not_signed(place: str, id_: str) -> None:
    with pytest.raises(ValueError, match=r"blank|U\+001F|surrogates"):
        sign(KEY, SentLink("1", "2")._replace(**{place: id_}))  # type: ignore[arg-type]  # only texts


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (SentLink("1", "2", flow_id="3"), "both or neither"),
        (SentLink("1", "2", sent_at_ms=EPOCH_MS - 60_000), "2024-01-01"),
        (SentLink("1", "2", link_count=-1), "not from 0"),
        (SentLink("1", "2", link_count=2**31), "less than 2"),
        (SentLink("1", "x" * 20_000), "16383"),
        (SentLink("1", "x" * 4_000), "shorten ids"),
    ],
)
def test_what_cannot_be_signed(sent: SentLink, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        sign(KEY, sent)


@given(st.binary(max_size=60))
def test_no_payload_raises_anything_else(payload: bytes) -> None:
    try:
        unpack(payload)
    except BadPayload:
        return


def test_extensions() -> None:
    """A reader refuses an odd type and skips an even one; type 0 pads up to the end."""
    payload = pack(SentLink("1", "2"))
    extended = bytes([payload[0] | 0x80]) + payload[1:]

    assert unpack(extended + b"\x02\x03abc") == SentLink("1", "2")
    assert unpack(extended + b"\x02\x00\x00anything") == SentLink("1", "2")
    for bad in (b"\x03\x01a", b"\x02\x04abc", b"\x02"):
        with pytest.raises(BadPayload):
            unpack(extended + bad)
    with pytest.raises(BadPayload, match="left over"):
        unpack(payload + b"\x00")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("klik.example.com", "https://klik.example.com/l/abc"),
        ("klik.example.com:8443", "https://klik.example.com:8443/l/abc"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/l/abc"),
        ("https://klik.example.com", "https://klik.example.com/l/abc"),
    ],
)
def test_url_of_a_link(host: str, url: str) -> None:
    assert link_url(host, "abc") == url


def test_a_secret_is_not_shown() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert "secret" not in repr(KEY)


@pytest.mark.parametrize(("key_id", "size"), [(0, 64), (2**32, 64), (1, 32)])
def test_keys_that_cannot_be(key_id: int, size: int) -> None:
    with pytest.raises(ValueError, match="key"):
        LinkKey(key_id, "acme", bytes(size))


def test_sent_at_is_kept_to_the_minute() -> None:
    sent = SentLink("1", "2", sent_at_ms=EPOCH_MS + 61_234)
    assert open_token(sign(KEY, sent), KEYS)[1].sent_at_ms == EPOCH_MS + 60_000


def _opens(text: str) -> bool:
    try:
        open_token(text, KEYS)
    except BadToken:
        return False
    return True
