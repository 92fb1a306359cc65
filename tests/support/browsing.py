"""A browser and a web server for the tests that open pages."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import pytest

from tests.support.chromium import Tab, chromium, chromium_command

Answer = Callable[[str, bytes], tuple[int, Sequence[tuple[bytes, bytes]], bytes]]
"""Makes status, headers and body of a path and the body of its request."""


def do_without_browser(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"{reason}; run `make browser`, which installs it")


@contextmanager
def open_tab(profile: Path, *flags: str) -> Iterator[Tab]:
    """Start a browser with these flags; without one, the test is skipped."""
    command = chromium_command()
    if command is None:
        do_without_browser("there is no Chromium on this machine")
    with chromium(command, profile, *flags) as tab:
        yield tab


@contextmanager
def served(answer: Answer, *, decode: Callable[[str], str] = unquote) -> Iterator[int]:
    """Serve what `answer` makes of path and body, on a port of 127.0.0.1; `decode` makes the path of the target."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, content = answer(decode(self.path), body)
            self.send_response(status)
            for name, value in headers:
                self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
