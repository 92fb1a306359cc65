from typing import Any

import pytest

from scripts.effects.return_url import BadReturnUrl, checked_return_url

LINK = "https://www.example.com/spring"


def checked(value: Any, link_url: str | None = LINK, hosts: tuple[str, ...] = ("shop.example.com",)) -> str | None:
    return checked_return_url(value, link_url=link_url, hosts=hosts)


@pytest.mark.parametrize("link_url", [LINK, None])
def test_what_the_script_leaves_as_it_was_overrides_nothing(link_url: str | None) -> None:
    assert checked(link_url, link_url) is None


@pytest.mark.parametrize(
    ("value", "link_url", "canonical"),
    [
        (LINK + "?c=7", LINK, LINK + "?c=7"),
        ("https://SHOP.example.com", LINK, "https://shop.example.com/"),
        ("https://shop.example.com:8443/ä b", LINK, "https://shop.example.com:8443/%C3%A4%20b"),
        ("https://shop.example.com/", None, "https://shop.example.com/"),
        ("http://www.example.com/x", "http://www.example.com/", "http://www.example.com/x"),
        ("https://www.example.com/x", "http://www.example.com/", "https://www.example.com/x"),
        (LINK + "/" + "x" * (3_999 - len(LINK)), LINK, LINK + "/" + "x" * (3_999 - len(LINK))),
    ],
)
def test_an_address_is_published_in_the_form_of_browsers(value: str, link_url: str | None, canonical: str) -> None:
    assert checked(value, link_url) == canonical


@pytest.mark.parametrize(
    ("value", "link_url", "sentence"),
    [
        (None, LINK, "must be text"),
        (7, LINK, "must be text"),
        ({}, LINK, "must be text"),
        ("", LINK, "not an absolute http or https address"),
        ("javascript:alert(1)", LINK, "not an absolute"),
        ("//www.example.com/", LINK, "not an absolute"),
        ("/spring", LINK, "not an absolute"),
        ("https:\\\\www.example.com", LINK, "not an absolute"),
        ("https://anna:secret@www.example.com/", LINK, "user or password"),
        ("https://www.example.com@evil.example/", LINK, "user or password"),
        ("https://www.example.com/a\nb", LINK, "not an absolute"),
        ("http://www.example.com/", LINK, "begins with http:; use https"),
        ("http://shop.example.com/", None, "begins with http:; use https"),
        ("https://evil.example/", LINK, "leads to evil.example; add that to the script's hosts"),
        ("https://evil.example/www.example.com", LINK, "leads to evil.example"),
        ("https://www.example.com.evil.example/", LINK, "leads to www.example.com.evil.example"),
        ("https://example.com/", LINK, "leads to example.com"),
        ("https://evilshop.example.com/", LINK, "leads to evilshop.example.com"),
        ("https://evil.www.example.com/", LINK, "leads to evil.www.example.com"),
        ("https://www.example.com/", None, "leads to www.example.com"),
        (LINK + "/" + "x" * (4_000 - len(LINK)), LINK, "has 4001 characters; use at most 4000"),
        (LINK + "/" + "ä" * 1_000, LINK, "characters when percent-encoded"),
    ],
)
def test_an_address_that_no_browser_may_be_sent_to_is_refused(value: Any, link_url: str | None, sentence: str) -> None:
    with pytest.raises(BadReturnUrl, match=sentence):
        checked(value, link_url)
