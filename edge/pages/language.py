"""The language of a page: the tenant's, or the one that the browser prefers."""

import re
from collections.abc import Iterator

LANGUAGES = ("en", "nl", "da", "nb", "sv", "de", "fi", "fr")
"""The languages of the pages, by the primary subtag of their language tag (BCP 47)."""
DEFAULT_LANGUAGE = "en"

_NORWEGIAN = {"no": "nb", "nn": "nb"}
_READ_CHARACTERS = 1_000
_RANGE = re.compile(
    r"[ \t]*(?P<range>[a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)[ \t]*"
    r"(?:;[ \t]*q=(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?",
    re.ASCII | re.IGNORECASE,
)


def language_of(accept_language: str | None, tenant_language: str | None) -> str:
    """Return the language of a page, one of `LANGUAGES`.

    A tenant's language decides if the pages have it. Otherwise the browser's header does, by its weights (RFC 9110,
    sections 12.4.2 and 12.5.4); ranges of equal weight in their order, and `*` as the default language. Ranges that
    are not well formed are ignored, and so is the rest of a very long header.
    """
    if tenant_language and (language := _shipped(tenant_language)):
        return language
    shipped = ((language, weight) for tag, weight in ranges_of(accept_language or "") if (language := _shipped(tag)))
    return max(shipped, key=lambda each: each[1], default=(DEFAULT_LANGUAGE, 1.0))[0]


def ranges_of(accept_language: str) -> Iterator[tuple[str, float]]:
    """Yield each well-formed language range of the header that a browser accepts, with its weight above 0, up to 1."""
    ranges = accept_language[:_READ_CHARACTERS].split(",")
    if len(accept_language) > _READ_CHARACTERS:
        ranges.pop()  # it may have been cut
    for found in map(_RANGE.fullmatch, ranges):
        if found and (weight := float(found["weight"] or 1)):
            yield found["range"], weight


def _shipped(tag: str) -> str | None:
    if tag == "*":
        return DEFAULT_LANGUAGE
    primary = tag.partition("-")[0].lower()
    language = _NORWEGIAN.get(primary, primary)
    return language if language in LANGUAGES else None
