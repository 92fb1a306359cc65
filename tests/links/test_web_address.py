"""Addresses that a browser may be sent to."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.links.web_address import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://Example.com:8443/a%20b?x=1&y=2#z",
        "http://127.0.0.1:65535/",
        "https://[2001:db8::1]:443/",
        "https://bücher.example/straße?q=ü",
        "https://xn--bcher-kva.example",
        "https://example.com./",
        "http://localhost/x",
        "https://a_b.example.com/@me",
        f"https://{'x' * 63}.example",
    ],
)
def test_valid_address_is_unchanged(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "it is not an absolute http or https address"),
        ("www.example.com", "not an absolute http or https address; write one such as https://example.com/offer"),
        ("javascript:alert(1)", "not an absolute http or https address"),
        ("//example.com", "not an absolute http or https address"),
        ("https:example.com", "not an absolute http or https address"),
        ("https:///path", "not an absolute http or https address"),
        ("https://?x", "not an absolute http or https address"),
        ("https://example.com:abc/", "its port is abc; write a number from 1 to 65535, or no port"),
        ("https://example.com:99999/", "its port is 99999"),
        ("https://example.com:0/", "its port is 0"),
        ("https://example.com:/", "its port is empty"),
        ("https://example.com:٣/", "its port is ٣"),
        ("https://[::1]:x/", "its port is x"),
        ("https://[::1/", "not an absolute http or https address"),
        ("https://[v1.a]/", "is not an IPv6 address"),
        ("https://:80/", "it has no host"),
        ("https://a..b/", "two dots in a row"),
        ("https://.a/", "two dots in a row, or begins with one"),
        ("https://a.b../", "two dots in a row"),
        (f"https://{'x' * 64}.example", "its host is too long"),
        (f"https://{'x.' * 127}example", "its host is too long"),
        (
            "https://exam\u200bple.com/",
            "it contains U\\+200B \\(zero width space\\), which nothing shows at character 13",
        ),
        ("https://example.com/a\u202eb", "right-to-left override"),
        ("https://exa mple.com", "without blanks and backslashes"),
        ("https://example.com\n", "without blanks and backslashes"),
        ("https://example.com\\@evil", "without blanks and backslashes"),
        ("https://user:pw@example.com/", "a user or password before an @"),
        ("https://@example.com/", "a user or password before an @"),
        ("https://exa%6dple.com/", "has characters that a host name cannot have"),
        ("https://-a.com/", "has characters that a host name cannot have"),
        ("https://{host}/", "has characters that a host name cannot have"),
        ("https://1.2.3/", "is not an IPv4 address; write four numbers from 0 to 255"),
        ("https://1.2.3.256/", "is not an IPv4 address"),
        ("https://\u05d0a.example/", "write its ASCII form, which begins with xn--"),
        ("https://example.com/" + "x" * 4000, "it has 4020 characters; use at most 4000"),
    ],
)
def test_ambiguous_address_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_url(url)


@given(st.text(alphabet="htps:/.?#[]@%a1é\u200b \\", max_size=30))
def test_any_text_passes_or_raises_value_error(text: str) -> None:
    for url in (text, f"https://{text}"):
        with suppress(ValueError):
            assert check_url(url) == url
