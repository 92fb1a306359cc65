"""HTML as a type, so that no text gets into a page unescaped."""

import html
import re
from collections.abc import Mapping
from typing import NewType

Html = NewType("Html", str)
"""Markup, safe to put into a page."""

_NOT_IN_HTML = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> Html:
    """Return text as markup, for an element's content or an attribute's value in double quotes.

    Characters that HTML does not allow, such as NUL and lone surrogates, become U+FFFD.
    """
    return Html(html.escape(_NOT_IN_HTML.sub("\ufffd", text.replace("\r\n", "\n")), quote=True))


def isolated(text: str) -> Html:
    """Return text of others as markup whose writing direction cannot reach what is beside it."""
    return Html(f"<bdi>{escaped(text)}</bdi>")


def undirected(text: str) -> str:
    """Return text without the characters that change the writing direction, for places that take no markup."""
    return _DIRECTION.sub("", text)


def filled(template: str, values: Mapping[str, Html]) -> Html:
    """Fill the `{placeholders}` of a translation, which is text itself."""
    return Html(escaped(template).format_map(values))


def joined(parts: list[Html]) -> Html:
    """Return parts of a page as one, a line each."""
    return Html("\n".join(parts))
