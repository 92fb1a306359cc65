"""The languages that a browser asks for (RFC 9110, section 12.5.4)."""

from functools import lru_cache

from edge.pages.language import language_of

_REMEMBERED = 1_024


@lru_cache(maxsize=_REMEMBERED)
def page_language(accept_language: bytes | None, tenant_language: str | None) -> str:
    """Return the language of a page; see `language_of`."""
    return language_of(_text(accept_language), tenant_language)


@lru_cache(maxsize=_REMEMBERED)
def is_first_language(tag: str, accept_language: bytes | None) -> bool:
    """Return whether a browser prefers this language, or a regional form of it, to all others."""
    first, weight = "", 0.0
    for part in (_text(accept_language) or "").lower().split(","):
        name, _, parameter = part.partition(";")
        asked = _weight(parameter)
        if asked > weight:
            first, weight = name.strip(), asked
    return first == tag.lower() or first.startswith(tag.lower() + "-")


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _text(header: bytes | None) -> str | None:
    return None if header is None else header[:1_000].decode("latin-1")
