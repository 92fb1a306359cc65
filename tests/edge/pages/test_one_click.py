import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.pages.one_click import MAX_ONE_CLICK_BYTES, is_one_click

PAIR = b"List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn"
PART = (
    b"-----FormBoundaryjWmhtjORrn\r\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n"
    b"-----FormBoundaryjWmhtjORrn--\r\n"
)
"""The example of RFC 8058, section 8.2."""


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (URLENCODED, PAIR),
        (None, PAIR),
        ("Application/X-WWW-form-urlencoded; charset=utf-8", PAIR + b"\r\n"),
        (MULTIPART, PART),
        (MULTIPART, PART.replace(b"\r\n", b"\n")),
        (MULTIPART, PART.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain\r\n\r\n", 1)),
        ('multipart/form-data; charset=utf-8; boundary="---FormBoundaryjWmhtjORrn"', PART),
    ],
)
def test_one_click(content_type: str | None, body: bytes) -> None:
    assert is_one_click(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (URLENCODED, b""),
        (URLENCODED, b"page_click_id=1"),
        (URLENCODED, PAIR + b"&a=1"),
        (URLENCODED, b"a=1&" + PAIR),
        (URLENCODED, b"List-Unsubscribe=One-Clicks"),
        (URLENCODED, PART),
        (URLENCODED, PAIR + b" " * MAX_ONE_CLICK_BYTES),
        ("text/plain", PAIR),
        ("multipart/form-data", PART),
        ("multipart/form-data; boundary=other", PART),
        ("multipart/mixed; boundary=---FormBoundaryjWmhtjORrn", PART),
        (MULTIPART, PAIR),
        (MULTIPART, b""),
        (MULTIPART, PART[:-6]),
        (MULTIPART, PART.replace(b"List-Unsubscribe", b"Other")),
        (MULTIPART, PART.replace(b"One-Click", b"Two-Click")),
        (MULTIPART, PART.replace(b"One-Click", b"One-Click\r\nmore")),
        (MULTIPART, PART.replace(b"\r\n\r\n", b"\r\n", 1)),
        (MULTIPART, PART[:-4] + b"\r\n" + PART),
    ],
)
def test_no_one_click(content_type: str | None, body: bytes) -> None:
    assert not is_one_click(content_type, body)


@given(st.text(), st.binary())
def test_any_body_is_answered(content_type: str, body: bytes) -> None:
    assert not is_one_click(content_type, body)
    assert not is_one_click("multipart/form-data; boundary=" + content_type, body)
