"""Rich text of a response: the HTML that a page may show, cleaned by nh3 (ammonia).

The allowed tags and attributes are fixed here and not left to nh3, so an upgrade of it changes no published text.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html import escape, unescape
from typing import Any

import nh3

TAGS = frozenset(
    ["a", "abbr", "article", "aside", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite", "code", "col",
     "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2",
     "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "mark", "nav", "ol", "p", "pre",
     "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup",
     "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr"]
)  # fmt: skip
ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "blockquote": {"cite"},
    "col": {"align", "span"},
    "colgroup": {"align", "span"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "src", "width"},
    "ins": {"cite", "datetime"},
    "ol": {"start"},
    "q": {"cite"},
    "table": {"align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "tr": {"align"},
}
MAX_TAGS = 5_000
"""More may nest so deep that the parser takes seconds: its time grows with the square of the depth."""
SCHEMES = frozenset(["https", "http", "mailto", "tel"])

_SETTINGS: dict[str, Any] = {
    "tags": set(TAGS),
    "attributes": ATTRIBUTES,
    "clean_content_tags": {"script", "style"},
    "url_schemes": set(SCHEMES),
    "url_relative": "deny",  # without it, //other.example stays
    "link_rel": "noopener noreferrer nofollow",
}
_MAX_ROUNDS = 10
"""Three are the most that any of 300,000 random texts needed."""
_TAG = re.compile(r"<([A-Za-z][^\s/>]*)")
_SCHEME = re.compile(r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}):")
_IGNORED = re.compile(r"[\x00-\x20]+")
"""Characters that browsers ignore in the scheme of an address."""

Filter = Callable[[str, str, str], str | None]
"""Given tag, attribute and value, returns the value to keep, or None to remove the attribute."""


def count_tags(html: str) -> int:
    """Return the number of opening tags, and of what looks like one."""
    return len(_TAG.findall(html))


def clean(html: str) -> str:
    """Return the text with nothing in it that runs, loads anything but images, or changes how the page looks.

    Tags are removed and their content is kept, except that of scripts and styles. Cleaning again changes nothing: the
    browser reads the text as the cleaner did. nh3 alone does not ensure that, since removing a tag may change how what
    was in it nests.
    """
    for _ in range(_MAX_ROUNDS):
        cleaned = nh3.clean(html, attribute_filter=_images_by_https, **_SETTINGS)
        if cleaned == html:
            return cleaned
        html = cleaned
    return escape(html)


def removals(html: str) -> Iterator[str]:
    """Yield a sentence for each tag and attribute that `clean` removes, once, with what to do instead."""
    names = dict.fromkeys(name.lower() for name in _TAG.findall(html))
    for tag in (name for name in names if name not in TAGS):
        yield f"<{tag}> is not allowed in a text and is left out; remove it"
    kept = _attributes(html, _images_by_https, **_SETTINGS)
    for (tag, attribute), count in _attributes_written(html, set(names)).items():
        if tag in TAGS and count > kept[tag, attribute] and (tag, attribute) != ("a", "rel"):
            yield f"{attribute} in <{tag}> {_reason(tag, attribute)}"


def _reason(tag: str, attribute: str) -> str:
    if attribute not in ATTRIBUTES.get(tag, set()) | ATTRIBUTES["*"]:
        return "is not allowed in a text and is left out; remove it"
    allowed = "https" if tag == "img" else "https, http, mailto or tel"
    return f"is left out, because it is not an absolute {allowed} address; write one"


def _attributes_written(html: str, tags: set[str]) -> Counter[tuple[str, str]]:
    """Count the attributes that the same parser finds if it keeps them all."""
    schemes = set(_SCHEME.findall(_IGNORED.sub("", unescape(html)).lower()))
    everything = {"tags": tags, "generic_attribute_prefixes": {""}, "clean_content_tags": set(), "link_rel": None}
    return _attributes(html, lambda _tag, _attribute, value: value, url_schemes=schemes, **everything)


def _attributes(html: str, keep: Filter, **settings: Any) -> Counter[tuple[str, str]]:
    """Count tag and attribute of what is kept, in the order of the text."""
    kept: Counter[tuple[str, str]] = Counter()

    def count(tag: str, attribute: str, value: str) -> None:
        kept[tag, attribute] += keep(tag, attribute, value) is not None

    nh3.clean(html, attribute_filter=count, **settings)
    return kept


def _images_by_https(tag: str, attribute: str, value: str) -> str | None:
    is_allowed = (tag, attribute) != ("img", "src") or value.lower().startswith("https://")
    return value if is_allowed else None
