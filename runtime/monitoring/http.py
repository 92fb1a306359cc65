"""The worker's HTTP port for metrics and probes. Each request has its own thread, never the loop's."""

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from runtime.errors import UsageError
from runtime.monitoring.health import Probed

SHUTDOWN_SECONDS = 1.0
"""Limit for stopping the server; a connection that hangs stays open until the process ends."""

SOCKET_SECONDS = 5.0

MAX_CONNECTIONS = 32
"""Connections served at a time. One more closes the oldest, so slow clients cannot keep a probe out."""

LOOPBACK = "127.0.0.1"
_ANY_IPV6, _ANY_IPV4 = "::", "0.0.0.0"  # noqa: S104 - probes and Prometheus come from other machines
_NO_IPV6 = frozenset((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT))
_NO_DESCRIPTOR = frozenset((errno.EMFILE, errno.ENFILE))


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: HTTPStatus
    content_type: str
    body: bytes


Route = Callable[[], Response]


def routes(metrics: Callable[[], bytes], health: Probed, versions: Mapping[str, str]) -> Mapping[str, Route]:
    """Return the routes of a process; `metrics` returns its metrics in Prometheus' text format."""

    def livez() -> Response:
        live = health.live()
        return json_response(asdict(live), good=live.alive)

    def readyz() -> Response:
        ready = health.ready()
        return json_response(asdict(ready), good=ready.ready)

    return {
        "/metrics": lambda: Response(HTTPStatus.OK, CONTENT_TYPE_LATEST, metrics()),
        "/livez": livez,
        "/readyz": readyz,
        "/version": lambda: json_response(dict(versions), good=True),
    }


def json_response(value: Mapping[str, Any], *, good: bool) -> Response:
    """Return the value as JSON, with status 200 if good, otherwise 503."""
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(status, "application/json", json.dumps(value).encode() + b"\n")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listening: socket.socket, routes: Mapping[str, Route]) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.routes = routes
        self.socket.close()
        self.socket = listening
        self._connections: dict[Any, None] = {}
        self._lock = Lock()

    def get_request(self) -> Any:
        """Accept a connection. If no file descriptor is free, wait before raising: the caller retries at once."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                time.sleep(0.1)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve the connection on its own thread; close the oldest one if there are too many."""
        with self._lock:
            self._connections[request] = None
            oldest = next(iter(self._connections)) if len(self._connections) > MAX_CONNECTIONS else None
            self._connections.pop(oldest, None)
        if oldest is not None:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection."""
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """Log an exception of a route, but not a client that hung up or timed out."""
        if not isinstance(sys.exc_info()[1], OSError):
            structlog.get_logger().exception("http_request.failed")


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    timeout = SOCKET_SECONDS
    server_version = "link-actions"
    sys_version = ""

    def do_GET(self) -> None:
        self.wfile.write(self._send_head())

    def do_HEAD(self) -> None:
        self._send_head()

    def _method_not_allowed(self) -> None:
        self.send_response(HTTPStatus.METHOD_NOT_ALLOWED)
        self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Length", "0")
        self.end_headers()

    # Known methods get 405; an unknown one gets 501 from the base class, which looks for these names.
    do_CONNECT = do_DELETE = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_TRACE = _method_not_allowed  # noqa: N815

    def _send_head(self) -> bytes:
        """Send status and headers; return the body."""
        routes = self.server.routes
        route = routes.get(self.path.partition("?")[0])
        response = route() if route else json_response({"paths": sorted(routes)}, good=True)
        self.send_response(response.status if route else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        return response.body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Log nothing: there is a probe every second."""


class HttpServer:
    """Serves the routes from `start` to `stop`. With port 0 it takes any free one; `port` is the one in use.

    Without a host it listens on every address of the machine. Raises UsageError if it cannot listen.
    """

    def __init__(self, port: int, routes: Mapping[str, Route], *, host: str | None = None) -> None:
        try:
            listening = _listen(port) if host is None else _listen_on(host, port)
        except OSError as error:
            raise UsageError(_listen_error(error, host, port)) from error
        self._server = _Listener(listening, routes)
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="http"
        )
        self.port: int = listening.getsockname()[1]

    def start(self) -> None:
        """Start serving."""
        self._thread.start()
        structlog.get_logger().info("http.started", port=self.port)

    def stop(self) -> None:
        """Stop serving and release the port within `SHUTDOWN_SECONDS`."""
        if self._thread.is_alive():
            stopper = Thread(target=self._server.shutdown, daemon=True, name="http-stop")
            stopper.start()
            stopper.join(SHUTDOWN_SECONDS)
        self._server.server_close()


def _listen(port: int) -> socket.socket:
    """Listen on all addresses, or all of IPv4 if the machine has no IPv6."""
    if socket.has_dualstack_ipv6():
        try:
            return _listen_on(_ANY_IPV6, port)
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return _listen_on(_ANY_IPV4, port)


def _listen_on(host: str, port: int) -> socket.socket:
    """Listen on one address; `::` includes IPv4."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    dual = host == _ANY_IPV6 and socket.has_dualstack_ipv6()
    # The short form of an IPv6 address would lose the interface of a link-local one.
    return socket.create_server(address, family=family, backlog=128, dualstack_ipv6=dual)


def _listen_error(error: OSError, host: str | None, port: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno in _NO_IPV6:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        return f"Cannot listen on {host} ({reason}); set LINK_ACTIONS_HTTP_HOST to an address of this machine"
    free = "one above 1023" if error.errno == errno.EACCES else "a free one"
    reason = os.strerror(error.errno or 0)
    return f"Cannot listen on port {port} ({reason}); set LINK_ACTIONS_HTTP_PORT to {free}, or to 0 for any"
