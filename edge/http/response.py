"""Answers as bytes (RFC 9112)."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from edge.exchange import Answer, Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REMEMBERED = 1_024
"""Heads kept as bytes: there is one per address that links lead to."""


class DateHeader:
    """The header `Date`, as of the last call of `refresh`."""

    def __init__(self) -> None:
        self.line = b""
        self.refresh()

    def refresh(self) -> None:
        """Read the clock."""
        self.line = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"


def bytes_of(answer: Answer, date: DateHeader, *, is_head: bool, is_last: bool) -> bytes:
    """Return an answer; `is_head` if it answers HEAD, `is_last` if the connection is closed after it."""
    body, click = answer.body, answer.click
    return b"".join(
        (
            _head(answer.status, answer.headers),
            date.line,
            b"" if answer.status == HTTPStatus.NO_CONTENT else b"content-length: %d\r\n" % len(body),
            b"" if click is None else b"link-actions-click: " + click.click_id.encode() + b"\r\n",
            b"connection: close\r\n\r\n" if is_last else b"\r\n",
            b"" if is_head else body,
        )
    )


@lru_cache(maxsize=_REMEMBERED)
def _head(status: int, headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())]
    return b"".join(lines + [name + b": " + value + b"\r\n" for name, value in headers])
