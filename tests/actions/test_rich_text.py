"""Rich text: nothing runs, nothing but images is loaded, and what is left out is told."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actions.rich_text import ATTRIBUTES, TAGS, clean, removals

REL = 'rel="noopener noreferrer nofollow"'


class Parts(HTMLParser):
    """Every tag and attribute of a text, with the values of addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[tuple[str, str]] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name in {"href", "src", "cite"}:
                self.addresses.append((tag, value or ""))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


def check_harmless(text: str) -> None:
    parts = Parts()
    parts.feed(text)
    parts.close()
    assert parts.tags <= TAGS
    assert parts.attributes <= set(_allowed_attributes())
    for tag, address in parts.addresses:
        assert address.lower().startswith(("https:", "http:", "mailto:", "tel:")[: 1 if tag == "img" else 4])
    assert not parts.others


def _allowed_attributes() -> Iterator[tuple[str, str]]:
    yield "a", "rel"
    for tag in TAGS:
        yield from ((tag, name) for name in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()))


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("<p>Hi <b>you</b> &amp; <i>me</i></p>", "<p>Hi <b>you</b> &amp; <i>me</i></p>"),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
        ("<script>alert(1)</script>Hi", "Hi"),
        ("<style>p{display:none}</style>Hi", "Hi"),
        ("<p onclick='x()' id=a class=b style='color:red'>Hi</p>", "<p>Hi</p>"),
        ("<p lang=nl dir=rtl title=t>Hi</p>", '<p lang="nl" dir="rtl" title="t">Hi</p>'),
        ("<a href='https://e.com/'>x</a>", f'<a href="https://e.com/" {REL}>x</a>'),
        ("<a href='http://e.com/' target=_top rel=opener>x</a>", f'<a href="http://e.com/" {REL}>x</a>'),
        ("<a href='mailto:a@e.com'>x</a>", f'<a href="mailto:a@e.com" {REL}>x</a>'),
        ("<a href='tel:+31'>x</a>", f'<a href="tel:+31" {REL}>x</a>'),
        ("<a href='//evil.example'>x</a>", f"<a {REL}>x</a>"),
        ("<a href='/x'>x</a><a href='#x'>y</a><a href=''>z</a>", f"<a {REL}>x</a><a {REL}>y</a><a {REL}>z</a>"),
        ("<a href='javascript:x'>x</a>", f"<a {REL}>x</a>"),
        ("<a href=' java\tscript&colon;x'>x</a>", f"<a {REL}>x</a>"),
        ("<a href='&#106;avascript:x'>x</a>", f"<a {REL}>x</a>"),
        ("<a href='data:text/html,x'>x</a>", f"<a {REL}>x</a>"),
        ("<img src='https://e.com/a.png' alt=a onerror=x>", '<img src="https://e.com/a.png" alt="a">'),
        ("<img src='http://e.com/a.png' alt=a>", '<img alt="a">'),
        ("<img src='data:image/png;base64,x' alt=a>", '<img alt="a">'),
        ("<img src='//e.com/a.png' srcset='https://e.com/b.png 2x' alt=a>", '<img alt="a">'),
        ("<svg><a xlink:href='javascript:x'><text>x</text></a></svg>Hi", "Hi"),
        ("<iframe src='https://e.com'></iframe><object data=x></object><embed src=x>Hi", "Hi"),
        ("<form action='https://e.com'><input name=a><button>x</button></form>", "x"),
        ("<meta http-equiv=refresh content='0;url=https://e.com'><base href='https://e.com'><link rel=stylesheet>Hi",
         "Hi"),
        ("<!-- x --><!--[if IE]><script>x</script><![endif]-->Hi", "Hi"),
        ("<?php x ?><!DOCTYPE html><![CDATA[x]]>Hi", "Hi"),
        ("<p>Hi", "<p>Hi</p>"),
        ("</style></p>Hi", "<p></p>Hi"),
        ("a\x00b", "ab"),
    ],
)  # fmt: skip
def test_clean(written: str, cleaned: str) -> None:
    assert clean(written) == cleaned
    assert clean(cleaned) == cleaned
    check_harmless(cleaned)


@pytest.mark.parametrize(
    "written",
    [
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
        "<form><math><mtext></form><form><mglyph><svg><mtext><textarea><path id=\"</textarea><img onerror=x src=1>\">",
        "<p/onclick=alert(1)>",
        "<<script>alert(1)//<</script>",
        "<a href=\"https://e.com\" onmouseover\x0b=alert(1)>x</a>",
        "<img src=\"https://e.com/\"onerror=\"alert(1)\">",
        "<xmp><p title=\"</xmp><img src onerror=alert(1)>\">",
        "<plaintext><script>",
        "<select><style></select><img src onerror=alert(1)></style>",
        "<template><s><template><s><img src=x onerror=alert(1)>@shafigullin</s></template></s></template>",
    ],
)  # fmt: skip
def test_mutations_that_bypassed_other_cleaners(written: str) -> None:
    check_harmless(clean(written))
    assert clean(clean(written)) == clean(written)


words = st.sampled_from(
    ["<", ">", "</", "<p>", "</p>", "<a href=", "<img src=", "<script>", "</script>", "<svg>", "<math>", "<style>",
     "</style>", "<table>", "<td>", "<form>", "<template>", "<!--", "-->", "&lt;", "&", "\"", "'", "=", " ",
     "javascript:", "https://e.com", "onclick=", "x", "\x00", "é", "<select>", "<noscript>", "<title>", "<li>", "<b>",
     "</b>"]
)  # fmt: skip


@given(st.lists(words, max_size=25).map("".join) | st.text(max_size=60))
@example("<p><select><p>")  # removing select changes how the paragraphs nest
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    cleaned = clean(text)

    check_harmless(cleaned)
    assert clean(cleaned) == cleaned
    assert not list(removals(cleaned))
    list(removals(text))


@pytest.mark.parametrize(
    ("written", "sentences"),
    [
        ("<p>Hi</p><a rel=x href='https://e.com/'>x</a>", []),
        ("<script>x</script><Script>", ["<script> is not allowed in a text and is left out; remove it"]),
        ("<p onclick=x><p onclick=y>", ["onclick in <p> is not allowed in a text and is left out; remove it"]),
        ("<p CLASS=x>", ["class in <p> is not allowed in a text and is left out; remove it"]),
        (
            "<a href='https://e.com/'>a</a><a href='&#106;ava\nscript:x'>b</a>",
            ["href in <a> is left out, because it is not an absolute https, http, mailto or tel address; write one"],
        ),
        ("<img src='http://e.com/' alt=x>",
            ["src in <img> is left out, because it is not an absolute https address; write one"]),
        ("<font color=red>x</font>", ["<font> is not allowed in a text and is left out; remove it"]),
    ],
)  # fmt: skip
def test_removals_are_told(written: str, sentences: list[str]) -> None:
    assert list(removals(written)) == sentences
