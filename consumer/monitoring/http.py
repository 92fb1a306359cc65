"""The worker's HTTP port: metrics and probes, each answered on a thread of its own, never on the loop's."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from consumer.errors import UsageError
from consumer.monitoring.health import Health

SHUTDOWN_SECONDS = 1.0
"""How long stopping may take; a connection that hangs is left to the end of the process."""

SOCKET_SECONDS = 5.0

EVERYWHERE, LOOPBACK = "", "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path is answered with."""

    status: HTTPStatus
    content_type: str
    body: bytes


Route = Callable[[], Answer]


def routes(page: Callable[[], bytes], health: Health, versions: Mapping[str, str]) -> Mapping[str, Route]:
    """Return what each path answers: `/metrics`, of which `page` gives the text, `/livez`, `/readyz` and `/version`."""

    def livez() -> Answer:
        live = health.live()
        return json_answer(asdict(live), good=live.alive)

    def readyz() -> Answer:
        ready = health.ready()
        return json_answer(asdict(ready), good=ready.ready)

    return {
        "/metrics": lambda: Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, page()),
        "/livez": livez,
        "/readyz": readyz,
        "/version": lambda: json_answer(dict(versions), good=True),
    }


def json_answer(value: Mapping[str, Any], *, good: bool) -> Answer:
    """Return the value as JSON, with status 200 or 503."""
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(status, "application/json", json.dumps(value).encode() + b"\n")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """Log what a route raised; a client that hung up or fell silent is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            structlog.get_logger().exception("http_request.failed")


class HttpServer:
    """Serves the routes from `start` to `stop`. Port 0 takes any free one; `port` is the one it took."""

    def __init__(self, port: int, routes: Mapping[str, Route], *, host: str = EVERYWHERE) -> None:
        try:
            self._server = _Listener((host, port), _handler(routes))
        except OSError as error:
            mend = "set LINK_ACTIONS_HTTP_PORT to a free one, or to 0 for any"
            raise UsageError(f"Port {port} cannot be had ({error.strerror}); {mend}") from error
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="http"
        )
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        structlog.get_logger().info("http.started", port=self.port)

    def stop(self) -> None:
        """Stop answering and give the port back, within `SHUTDOWN_SECONDS`."""
        if self._thread.is_alive():
            stopper = Thread(target=self._server.shutdown, daemon=True, name="http-stop")
            stopper.start()
            stopper.join(SHUTDOWN_SECONDS)
        self._server.server_close()


def _handler(routes: Mapping[str, Route]) -> type[BaseHTTPRequestHandler]:
    unknown = json_answer({"paths": sorted(routes)}, good=True)

    class Handler(BaseHTTPRequestHandler):
        timeout = SOCKET_SECONDS
        server_version = "link-actions"
        sys_version = ""

        def do_GET(self) -> None:
            route = routes.get(self.path.partition("?")[0])
            answer = route() if route else unknown
            self.send_response(answer.status if route else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing: a probe each second is no news."""

    return Handler
