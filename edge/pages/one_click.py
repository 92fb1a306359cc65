"""The POST that mail programs send for a person who unsubscribes with one click (RFC 8058)."""

import re

from edge.pages.form_answers import media_type

MAX_ONE_CLICK_BYTES = 2_048

_BOUNDARY = re.compile(r";[ \t]*boundary=(?:\"([^\"\\]{1,70})\"|([^\s;\"]{1,70}))", re.IGNORECASE)
_NAME = re.compile(rb"^content-disposition:[ \t]*form-data;[ \t]*name=\"?list-unsubscribe\"?[ \t]*$", re.IGNORECASE)
_PAIR = re.compile(rb"List-Unsubscribe=One-Click\s*", re.IGNORECASE)


def is_one_click(content_type: str | None, body: bytes) -> bool:
    """Return whether the body is the pair `List-Unsubscribe=One-Click` and nothing else.

    The pair is either urlencoded, which a missing content type is taken for, or the only part of a multipart body.
    """
    if len(body) > MAX_ONE_CLICK_BYTES:
        return False
    if media_type(content_type) in {"application/x-www-form-urlencoded", ""}:
        return bool(_PAIR.fullmatch(body))
    if media_type(content_type) != "multipart/form-data":
        return False
    boundary = _BOUNDARY.search(content_type or "")
    return boundary is not None and _is_only_part(body, (boundary[1] or boundary[2]).encode("latin-1", "replace"))


def _is_only_part(body: bytes, boundary: bytes) -> bool:
    lines = body.replace(b"\r\n", b"\n").strip().split(b"\n")
    if lines[0] != b"--" + boundary or lines[-1] != b"--" + boundary + b"--" or b"" not in lines:
        return False
    blank = lines.index(b"")
    named = any(_NAME.match(line) for line in lines[1:blank])
    return named and [line.lower() for line in lines[blank + 1 : -1]] == [b"one-click"]
