import re
from base64 import b64encode
from hashlib import sha256

import pytest

from edge.pages.headers import ANY_ORIGIN, headers_of_page
from tests.edge.pages.samples import all_pages


def test_headers_of_a_page() -> None:
    headers = dict(headers_of_page())
    policy = headers.pop(b"content-security-policy").decode()
    assert re.fullmatch(
        r"default-src 'none'; img-src https:; style-src 'sha256-[\w+/]{43}='; form-action 'self'; "
        r"base-uri 'none'; frame-ancestors 'none'",
        policy,
    )
    assert headers == {
        b"content-type": b"text/html; charset=utf-8",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"x-robots-tag": b"noindex, nofollow",
        b"cache-control": b"no-store",
    }


def test_the_style_of_every_page_has_the_hash_of_the_policy() -> None:
    policy = dict(headers_of_page())[b"content-security-policy"].decode()
    for name, page in all_pages("en").items():
        [style] = re.findall(rb"<style>(.*?)</style>", page, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(style).digest()).decode()}'" in policy, name


@pytest.mark.parametrize(
    "origin",
    [ANY_ORIGIN, "https://example.com", "http://127.0.0.1:8080", "https://xn--bcher-kva.example", "http://[::1]:80"],
)
def test_the_origin_of_the_forms_redirect(origin: str) -> None:
    policy = dict(headers_of_page(origin))[b"content-security-policy"].decode()
    assert f"; form-action 'self' {origin}; " in policy


@pytest.mark.parametrize(
    "origin",
    ["", "*", "https:", "example.com", "https://a.example; script-src *", "https://a.example\r\nx: y",
     "https://a.example/path", "https://a.example b.example", "https://a.example,", "https://bücher.example",
     "https://a.example\n", "javascript:alert(1)"],
)  # fmt: skip
def test_an_origin_cannot_extend_the_policy(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        headers_of_page(origin)


def test_strict_transport_security() -> None:
    assert (b"strict-transport-security", b"max-age=60") in headers_of_page(strict_transport_security="max-age=60")
