"""Opening tokens and encoding clicks in Python; `click_encoding_c` is the compiled counterpart.

The fields are encoded one after the other by hand, as Avro does: a third of the time that a library takes.
"""

from functools import lru_cache

from edge.answered_click import AnsweredClick
from schemas.codec import encode_number, encode_text
from schemas.definition_key import encode_link
from schemas.token_payload import unpack as unpack  # noqa: PLC0414 - the other half of what the counterpart compiles

MAX_HEADER_BYTES = 512
"""Bytes kept of a header's value."""
_REMEMBERED = 4_096
"""Values kept encoded: few links, browsers and networks make most clicks."""
_NONE, _SOME = b"\x00", b"\x02"
"""The branches of a union of null and something, as Avro numbers them."""
_FALSE, _TRUE = b"\x00", b"\x01"
_SHORT = 1_024
_LENGTHS = [encode_number(size) for size in range(_SHORT)]

link_key = lru_cache(maxsize=_REMEMBERED)(encode_link)
"""The first two fields of a click, and the key of its link."""


def encode_click(frame: bytes, click: AnsweredClick) -> bytes:
    """Return the value of the record: the frame, and the fields of `LinkClicked`."""
    sent, headers, client = click.sent, click.headers, click.client
    user = headers.get(b"sec-fetch-user")
    return b"".join(
        (
            frame,
            link_key(click.tenant_id, sent.link_id),
            _text(sent.recipient_id),
            _text(click.click_id),
            encode_number(click.clicked_at_ms),
            _SOME + _text(sent.person_id) if sent.person_id else _NONE,
            _SOME + _text(sent.company_id) if sent.company_id else _NONE,
            _SOME + _text(sent.mailing_id) if sent.mailing_id else _NONE,
            _SOME + _text(sent.flow_id) if sent.flow_id else _NONE,
            _SOME + _text(sent.flow_run_id) if sent.flow_run_id else _NONE,
            _SOME + encode_number(click.link_version),
            _TRUE if sent.is_test else _FALSE,
            _TRUE if click.is_confirmed else _FALSE,
            _optional(click.location),
            _optional_text(click.method),
            encode_header(headers.get(b"user-agent")),
            encode_header(headers.get(b"sec-purpose") or headers.get(b"purpose")),
            _optional_text(client.network),
            _NONE,  # delivered_at: the edge knows when the link was signed, not when the message arrived
            _NONE if sent.link_count is None else _SOME + encode_number(sent.link_count),
            _SOME + _text(click.page_click_id) if click.page_click_id else _NONE,
            encode_header(headers.get(b"sec-fetch-mode")),
            _NONE if user is None else _SOME + (_TRUE if user == b"?1" else _FALSE),
            _optional_text(client.network_class),
            _FALSE,  # replayed
        )
    )


@lru_cache(maxsize=_REMEMBERED)
def _optional_text(text: str | None) -> bytes:
    return _SOME + _text(text) if text else _NONE


@lru_cache(maxsize=_REMEMBERED)
def _optional(raw: bytes | None) -> bytes:
    return _SOME + encode_text(raw) if raw else _NONE


@lru_cache(maxsize=_REMEMBERED)
def encode_header(value: bytes | None) -> bytes:
    """Encode a header's value without control characters, cut to a sane length, as a union of null and string."""
    text = (value or b"")[:MAX_HEADER_BYTES].decode("utf-8", "replace")
    printable = text if text.isprintable() else "".join(filter(str.isprintable, text))
    return _SOME + _text(printable) if printable else _NONE


def _text(text: str) -> bytes:
    raw = text.encode()
    size = len(raw)
    return (_LENGTHS[size] if size < _SHORT else encode_number(size)) + raw
