"""Asking a worker on this machine over HTTP, past any proxy that the environment names."""

import urllib.request
from http.client import HTTPResponse
from typing import cast

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(port: int, path: str, *, timeout_seconds: float) -> HTTPResponse:
    """Return the response, to be closed. Raises OSError; an HTTPError is one, for a status of 400 and more."""
    return cast("HTTPResponse", _OPENER.open(f"http://127.0.0.1:{port}{path}", timeout=timeout_seconds))
