"""Texts that people read, with placeholders that are filled in from the link and the click."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from actions.kind import ClickFacts, LinkFacts

LINK_PLACEHOLDERS = ("link_name", "link_id", "link_url")
CLICK_PLACEHOLDERS = ("mailing_id", "flow_id", "clicked_at")
PLACEHOLDERS = LINK_PLACEHOLDERS + CLICK_PLACEHOLDERS

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"\{[^{}]*\}?|\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_placeholders(text: str) -> str:
    """Return the text unchanged.

    Raises ValueError where a brace is not part of a known placeholder; braces have no other use.
    """
    known = {f"{{{name}}}" for name in PLACEHOLDERS}
    unknown = [part for part in _BRACE.findall(text) if part not in known]
    if unknown:
        raise ValueError(f"{' and '.join(unknown)} is no placeholder; known are {' '.join(sorted(known))}")
    return text


ReadableText = Annotated[str, Field(min_length=1), AfterValidator(check_placeholders)]
"""A text with placeholders that are all known."""


def depends_on_click(text: str) -> bool:
    """Return whether the filled-in text may differ from click to click."""
    return any(name in CLICK_PLACEHOLDERS for name in _PLACEHOLDER.findall(text))


def fill(text: str, link: LinkFacts, click: ClickFacts | None) -> str:
    """Fill in the placeholders; unknown facts become empty, and inserted text is not expanded again.

    Raises ValueError where the text needs a click and there is none.
    """
    if click is None and depends_on_click(text):
        raise ValueError("the text names the click, so it can only be filled in for one")
    return _PLACEHOLDER.sub(lambda match: _fact(match[1], link, click) or "", text)


def utc_text(milliseconds: int) -> str:
    """Write a time as ISO 8601 in UTC, in seconds: 2026-11-22T12:19:11Z; the number outside the years 1 to 9999."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return str(milliseconds)


def _fact(name: str, link: LinkFacts, click: ClickFacts | None) -> str | None:
    if click is not None and name in CLICK_PLACEHOLDERS:
        return {"mailing_id": click.mailing_id, "flow_id": click.flow_id, "clicked_at": utc_text(click.clicked_at)}[
            name
        ]
    return {"link_name": link.name, "link_id": link.link_id, "link_url": link.url}[name]
