"""Finds parts of an HTML text that run or load something.

This is good enough to warn an author, but no protection: the page that shows the text must sanitize it. It uses regular
expressions because Python's parser takes minutes for a text full of `<`.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import chain

_ACTIVE_TAG = re.compile(
    r"<(script|iframe|frame|object|embed|applet|form|input|button|base|meta|link|style)\b", re.IGNORECASE
)
_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9:-]{0,30})([^<>]*)")
_HANDLER = re.compile(r"(?:^|[\s/\"'])(on[a-z]{3,30})\s*=", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ACTIVE_ADDRESS = re.compile(r"=[\"']?(javascript|vbscript|data):", re.IGNORECASE)
_IGNORED = re.compile(r"[\x00-\x20]+")
"""Characters that browsers ignore in the scheme of an address."""


def active_parts(text: str) -> Iterator[str]:
    """Yield each tag, event handler and address that runs or loads something, once."""
    # A > within quotes does not end a tag, but a quote in a sentence does not begin one; check both readings.
    handlers = chain(_handlers(text), _handlers(_QUOTED.sub('""', text)))
    tags = (f"<{match[1].lower()}>" for match in _ACTIVE_TAG.finditer(text))
    addresses = (f"{match[1].lower()}:" for match in _ACTIVE_ADDRESS.finditer(_IGNORED.sub("", unescape(text))))
    return iter(dict.fromkeys(chain(tags, handlers, addresses)))


def _handlers(text: str) -> Iterator[str]:
    for tag in _TAG.finditer(text):
        for handler in _HANDLER.finditer(tag[2]):
            yield f"{handler[1].lower()}= in <{tag[1].lower()}>"
