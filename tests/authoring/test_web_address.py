"""Addresses that a browser may be sent to, in the form that it sends."""

import string
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.authoring.web_address import MAX_URL_LENGTH, check_url
from tests.links.builders import GOOD, links_in, mistakes_in, notes_in, warnings_in

UNCHANGED = [
    "https://example.com/",
    "http://127.0.0.1:65535/",
    "https://[2001:db8::1]/",
    "https://xn--bcher-kva.example/",
    "https://xn--fa-hia.example/",
    "https://example.com./",
    "http://localhost/x",
    "https://a_b.example.com/@me",
    "https://example.com:8443/a%20b?x=1&y=2#z",
    "https://example.com/a+b%20c%2Fd%2f?q=a+b%20c",
    "https://example.com/a//b;c=1,d:e@f",
    "https://example.com/?abc",
    "https://example.com/?a&b=&a=2&a=1",
    "https://example.com/?",
    "https://example.com/#",
    "https://example.com/??#?#?#",
    "https://example.com/[x]?y[]=1&z[a]=b",
    "https://example.com/%C3%A6%C3%zz%",
    "https://example.com/a|b?a|b&{c}",
    "https://example.com/p?next=https://other.example/?a=b&c=d#top",
    "https://example.com:8/",
    f"https://{'x' * 63}.example/",
    f"https://{'x.' * 126}x/",
    f"https://example.com/?{'a' * (MAX_URL_LENGTH - 21)}",
]
CHANGED = [
    ("https://example.com", "https://example.com/"),
    ("https://example.com?a", "https://example.com/?a"),
    ("HTTPS://Example.com:8443/A", "https://example.com:8443/A"),
    ("https://example.com:443/", "https://example.com/"),
    ("http://example.com:0080/", "http://example.com/"),
    ("https://[2001:DB8:0:0::1]/", "https://[2001:db8::1]/"),
    ("https://bücher.example/ä b", "https://xn--bcher-kva.example/%C3%A4%20b"),
    ("https://bücher.example/straße?q=ü#ä", "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%BC#%C3%A4"),
    ("https://bu\u0308cher.example/", "https://xn--bcher-kva.example/"),
    ("https://straße.example/", "https://xn--strae-oqa.example/"),  # not strasse.example, as IDNA of 2003 has it
    ("https://☃.example/", "https://xn--n3h.example/"),
    ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
    ("https://ｅxample.com/", "https://example.com/"),
    ("https://example.com/🎉?🎉#🎉", "https://example.com/%F0%9F%8E%89?%F0%9F%8E%89#%F0%9F%8E%89"),
    ("https://example.com/a b?c d#e f", "https://example.com/a%20b?c%20d#e%20f"),
    ("https://example.com/'\"?'\"#'\"", "https://example.com/'%22?%27%22#'%22"),
    ("https://example.com/<a>`b`{^", "https://example.com/%3Ca%3E%60b%60%7B%5E"),
    ("https://example.com/?<a>#<b>`", "https://example.com/?%3Ca%3E#%3Cb%3E%60"),
    ("https://example.com/a/../b/./c", "https://example.com/b/c"),
    ("https://example.com/a/%2e%2E/b", "https://example.com/b"),
]
"""Addresses that tracking links are reported to break, and what the WHATWG URL Standard makes of them."""


@pytest.mark.parametrize("url", UNCHANGED)
def test_canonical_address_is_unchanged(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(("url", "canonical"), CHANGED)
def test_address_gets_its_canonical_form(url: str, canonical: str) -> None:
    assert check_url(url) == canonical


@pytest.mark.parametrize(("url", "canonical"), CHANGED)
def test_canonical_form_is_published_and_shown(url: str, canonical: str) -> None:
    written = url.replace("'", "''")
    content = GOOD.replace('"https://example.com/spring"', f"'{written}'")

    (link,) = links_in(content)

    assert link.response.url == canonical  # type: ignore[union-attr]
    assert notes_in(content) == [f"1.yaml:5:16: note: link spring: published as {canonical}"]


def test_rules_are_published_in_canonical_form() -> None:
    rules = "[{language: nl, to: 'https://e.com/ä'}, {else: 'https://e.com'}]"
    content = GOOD.replace('"https://example.com/spring"', rules)

    (link,) = links_in(content)

    assert [link.response.url, link.response.rules[0].url] == [  # type: ignore[union-attr]
        "https://e.com/",
        "https://e.com/%C3%A4",
    ]
    assert [note.partition("spring: ")[2] for note in notes_in(content)] == [
        "published as https://e.com/%C3%A4",
        "published as https://e.com/",
    ]


def test_note_is_neither_mistake_nor_warning() -> None:
    content = GOOD.replace("https://example.com/spring", "https://example.com")

    assert notes_in(content)
    assert not mistakes_in(content) + warnings_in(content)
    assert not notes_in(GOOD)


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
        (f"https://{'x.' * 126}xx/", "its host is too long"),
        (f"https://{'x.' * 127}example", "its host is too long"),
        (
            "https://exam\u200bple.com/",
            "it contains U\\+200B \\(zero width space\\), which nothing shows at character 13",
        ),
        ("https://example.com/a\u202eb", "right-to-left override"),
        ("https://exa mple.com", "has characters that a host name cannot have"),
        ("https://exa mplé.com", "is not a domain name"),
        ("https://example.com/ ", "it ends with a blank; remove it"),
        ("https://example.com/a\tb", "without backslashes, tabs and line breaks"),
        ("https://example.com/a\r\nSet-Cookie: x", "without backslashes, tabs and line breaks"),
        ("https://example.com/\u00a0", "without backslashes, tabs and line breaks"),
        ("https://example.com/\x00", "a line break, tab or other control character at character 21"),
        ("https://example.com/\ud800", "at character 21"),
        ("data:text/html,x", "not an absolute http or https address"),
        ("https://example.com\n", "without backslashes, tabs and line breaks"),
        ("https://example.com\\@evil", "without backslashes, tabs and line breaks"),
        ("https://user:pw@example.com/", "a user or password before an @"),
        ("https://@example.com/", "a user or password before an @"),
        ("https://exa%6dple.com/", "has characters that a host name cannot have"),
        ("https://-a.com/", "has characters that a host name cannot have"),
        ("https://{host}/", "has characters that a host name cannot have"),
        ("https://1.2.3/", "is not an IPv4 address; write four numbers from 0 to 255"),
        ("https://1.2.3.256/", "is not an IPv4 address"),
        ("https://0x7f.1/", "is not an IPv4 address"),
        ("https://01.2.3.4/", "is not an IPv4 address"),
        ("https://3232235777/", "is not an IPv4 address"),
        ("https://１.2.3.4/", "is not an IPv4 address"),
        ("https://example.1/", "is not an IPv4 address"),
        ("https://[fe80::1%25eth0]/", "is not an IPv6 address"),
        ("https://xn--a.example/", "is not a domain name"),
        ("https://xn--.example/", "has characters that a host name cannot have"),
        ("https://xn--strasse-oqa.example/", "is not a domain name"),
        ("https://é..example/", "two dots in a row"),
        ("https://[::1]x/", "not an absolute http or https address"),
        ("https://\u05d0a.example/", "write its ASCII form, which begins with xn--"),
        ("https://example.com/" + "x" * 4000, "it has 4020 characters; use at most 4000"),
        (
            "https://example.com/" + "ä" * 700,
            "it has 4220 characters when percent-encoded, as browsers send it; use at",
        ),
    ],
)
def test_ambiguous_address_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_url(url)


ADDRESS_SAFE = set(string.printable) - set(string.whitespace) - {"\\"}
"""What may be in a header as it is: ASCII without controls, blanks and backslashes."""

parts = st.text(max_size=40) | st.text(alphabet="/.?#[]@%:&=+;'\"<>`{|}^~ äß\u200b2e", max_size=40)
hosts = st.sampled_from(
    [
        "example.com",
        "bücher.example",
        "faß.example",
        "xn--bcher-kva.example",
        "127.0.0.1",
        "[2001:DB8::1]:8443",
        "EXAMPLE.com:443",
    ]
) | st.text(alphabet="abx0127.-:é例ß[]%@xn", min_size=1, max_size=20)


@given(hosts, parts)
@example("example.com", "/" + "%zz" * 10)
@example("example.com", "")
def test_canonical_form_is_final_and_safe_in_a_header(host: str, part: str) -> None:
    """Idempotent, ASCII without controls and blanks, within the limit, and with a host that is the written one's."""
    for separator in ("", "/", "?", "#"):
        with suppress(ValueError):
            canonical = check_url(f"https://{host}{separator}{part}")

            assert set(canonical) <= ADDRESS_SAFE
            assert len(canonical) <= MAX_URL_LENGTH
            assert check_url(canonical) == canonical


@given(st.text(alphabet="htps:/.?#[]@%a1é\u200b \\", max_size=30) | st.text(max_size=30))
def test_any_text_passes_or_raises_value_error(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com/{text}"):
        with suppress(ValueError):
            check_url(url)
