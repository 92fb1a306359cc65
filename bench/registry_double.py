"""A small schema registry over HTTP, speaking as much of the documented REST API as our adapter uses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class RegistryDouble:
    """The registered schemas of each subject, in the order of their versions, as (id, text)."""

    subjects: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    read_only: bool = False
    broken: bool = False
    references: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """The references of each schema by its id: name, subject and version each."""
    url: str = ""
    requests: list[str] = field(default_factory=list)

    def register(self, subject: str, text: str) -> int:
        """Add a version to a subject and return the id of its text, the same under every subject."""
        known = {schema: identifier for versions in self.subjects.values() for identifier, schema in versions}
        identifier = known.get(text, len(known) + 1)
        self.subjects.setdefault(subject, []).append((identifier, text))
        return identifier

    def answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        """Return status and JSON, by https://docs.confluent.io/platform/current/schema-registry/develop/api.html."""
        subject = path[1]
        if path[2:] == ["versions"]:
            return self.list_versions(subject) if method == "GET" else self.add_version(subject, body["schema"])
        for number, (identifier, text) in enumerate(self.subjects.get(subject, []), 1):
            if (method == "GET" and path[3] == str(number)) or (method == "POST" and body["schema"] == text):
                found = {"subject": subject, "id": identifier, "version": number, "schema": text}
                return 200, found | {"references": self.references.get(identifier, [])}
        return 404, {"error_code": 40403, "message": "Schema not found"}

    def list_versions(self, subject: str) -> tuple[int, Any]:
        """Return the numbers of the versions of a subject."""
        if subject not in self.subjects:
            return 404, {"error_code": 40401, "message": "Subject not found."}
        return 200, list(range(1, len(self.subjects[subject]) + 1))

    def add_version(self, subject: str, text: str) -> tuple[int, Any]:
        """Register a schema, unless the registry may only be read."""
        if self.read_only:
            return 422, {"error_code": 42205, "message": "Subject is in read-only mode"}
        return 200, {"id": self.register(subject, text)}


@contextmanager
def running_registry() -> Iterator[RegistryDouble]:
    """Serve an empty registry on a free port."""
    double = RegistryDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            double.requests.append(f"{method} {'/'.join(path)}")
            status, value = double.answer(method, path, body)
            text = b"<html>" if double.broken else json.dumps(value).encode()
            self.send_response(200 if double.broken else status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield double
    server.shutdown()
    server.server_close()
    thread.join()
