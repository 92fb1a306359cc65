"""Requests out of bytes, by httptools, with limits on what a stranger may send."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from edge.exchange import Request

MAX_TARGET_BYTES = 8_192
MAX_HEADER_BYTES = 16_384
"""Names and values of all headers together."""
MAX_BODY_BYTES = 65_536

_MAX_HEAD_BYTES = MAX_TARGET_BYTES + MAX_HEADER_BYTES


class Refused(Exception):
    """The received bytes are no request, or one beyond the limits; nothing after them can be read."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


OnRequest = Callable[[tuple[Request, bool]], None]
"""Called with a request, and whether its client wants to send more on the same connection."""


class RequestParser:
    """Parses what one connection receives. Methods that begin with `on_` are called by httptools."""

    def __init__(self, peer: str | None, on_request: OnRequest, on_expect: Callable[[], None]) -> None:
        """`on_expect` is called if a client waits for 100 Continue before it sends its body."""
        self._peer = peer
        self._on_request = on_request
        self._on_expect = on_expect
        self._parser = HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._has_two_hosts = False
        self._begin()

    def feed(self, data: bytes) -> None:
        """Parse a part of what is received; call `on_request` for each request that is whole. Raises Refused."""
        if self._is_in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self.feed(data[upgrade.args[0] :])  # no other protocol is spoken; the client continues with this one
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except HttpParserError as error:
            raise Refused(HTTPStatus.BAD_REQUEST) from error
        if self._is_in_head and self._head_bytes > _MAX_HEAD_BYTES:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.is_within_request = True

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; several of one name are one with a list (RFC 9110, section 5.3), but for Host.

        Raises Refused.
        """
        name, headers = name.lower(), self._headers
        if name in headers:
            self._has_two_hosts = self._has_two_hosts or name == b"host"
            value = headers[name] + b", " + value
            if len(value) > MAX_HEADER_BYTES:  # joining forty thousand of one name would take long
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        headers[name] = value

    def on_headers_complete(self) -> None:
        """Check the head. Raises Refused."""
        self._is_in_head = False
        target, headers = self._target, self._headers
        if len(target) > MAX_TARGET_BYTES:
            raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG)
        # What arrived so far is an upper bound, nearly always low enough.
        if self._head_bytes > MAX_HEADER_BYTES and _size_of(headers) > MAX_HEADER_BYTES:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if target[:1] != b"/" or self._has_two_hosts:
            raise Refused(HTTPStatus.BAD_REQUEST)
        if b"expect" in headers and headers[b"expect"].lower() == b"100-continue":
            self._on_expect()

    def on_body(self, part: bytes) -> None:
        """Take a part of the body. Raises Refused."""
        self._body += part
        if len(self._body) > MAX_BODY_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        parser, headers, path = self._parser, self._headers, self._target
        if b"?" in path or b"#" in path:
            path = path.partition(b"?")[0].partition(b"#")[0]
        keeps_alive = parser.should_keep_alive()
        if b"connection" in headers and parser.get_http_version() == "1.0":
            keeps_alive = False  # such a client would need a header that asks it to
        request = Request(parser.get_method().decode(), path, headers, self._body, self._peer)
        self._begin()
        self._on_request((request, keeps_alive))

    def _begin(self) -> None:
        self._target = self._body = b""
        self._headers = {}
        self._head_bytes = 0
        self._has_two_hosts = self.is_within_request = False
        self._is_in_head = True


def _size_of(headers: Mapping[bytes, bytes]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())
