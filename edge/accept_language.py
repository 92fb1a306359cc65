"""The languages that a browser asks for (RFC 9110, section 12.5.4)."""

from functools import lru_cache

from edge.pages.language import language_of, ranges_of

_REMEMBERED = 1_024


@lru_cache(maxsize=_REMEMBERED)
def page_language(accept_language: bytes | None, tenant_language: str | None) -> str:
    """Return the language of a page; see `language_of`."""
    return language_of(_text(accept_language), tenant_language)


@lru_cache(maxsize=_REMEMBERED)
def is_first_language(tag: str, accept_language: bytes | None) -> bool:
    """Return whether a browser prefers this language, or a regional form of it, to all others."""
    ranges = ranges_of(_text(accept_language) or "")
    first = max(ranges, key=lambda each: each[1], default=("", 0.0))[0].lower()
    return first == tag.lower() or first.startswith(tag.lower() + "-")


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
