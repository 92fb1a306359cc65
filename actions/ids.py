"""Validates ids: a person must be able to read them off a screen and type them again.

The CRM does not find an id that only looks like an existing one, yet the dedupe state would record its action as
applied.
"""

import re
import unicodedata

MAX_ID_LENGTH = 200
ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "pattern": r"^\S(.*\S)?$"}
"""The part of the rule that an editor can check (JSON Schema)."""

JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f\u00a0\u202f")
"""Joiners and variation selectors of some scripts and of emoji, and no-break spaces: allowed in names for people."""

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, signs and marks that are invisible although the others of their category are visible."""
_CONTROL = "a line break, tab or other control character"


def check_id(text: str) -> str:
    """Return the id unchanged. Raises ValueError that says what to change."""
    return check_line(text)


def check_line(text: str, *, allowed: frozenset[str] = frozenset()) -> str:
    """Return the line unchanged. Raises ValueError if it is empty, too long, or has characters that do not show."""
    if not text.strip():
        raise ValueError("it is empty; write something")
    if len(text) > MAX_ID_LENGTH:
        raise ValueError(f"it has {len(text)} characters; use at most {MAX_ID_LENGTH}")
    if text != text.rstrip("\r\n"):
        raise ValueError("it ends with a line break; write it on one line, or after |- instead of |")
    unseen = next((place for place, character in enumerate(text) if is_unseen(character, allowed)), None)
    if unseen is not None:
        raise ValueError(f"it holds {describe(text[unseen])} at character {unseen + 1}; remove it")
    if text != text.strip():
        raise ValueError("it starts or ends with a blank; remove it")
    return text


def is_unseen(character: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Return whether a character is invisible, or a blank other than the space."""
    if character.isascii():
        return not character.isprintable()
    if character in allowed:
        return False
    category = unicodedata.category(character)
    return category in _UNSEEN_CATEGORIES or category == "Zs" or bool(_UNSEEN.match(character))


def describe(character: str) -> str:
    """Name a character that does not show."""
    if unicodedata.category(character) == "Cc":
        return _CONTROL
    name = unicodedata.name(character, "a character without a name").lower()
    return f"U+{ord(character):04X} ({name}), which nothing shows"


def looks_of(text: str) -> str:
    """Return an id as a person sees it; two ids with the same result differ only in their bytes."""
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = "".join(" " if character.isspace() else character for character in text if not _shows_nothing(character))
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def _shows_nothing(character: str) -> bool:
    return is_unseen(character) and not character.isspace()
