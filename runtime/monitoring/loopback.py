"""HTTP requests to a worker on this machine, without the proxy that the environment may name."""

import urllib.request
from http.client import HTTPResponse
from typing import cast

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http_get(port: int, path: str, *, timeout_seconds: float) -> HTTPResponse:
    """Return the response, which the caller closes. Raises OSError, which HTTPError (status 400 and above) is too."""
    return cast("HTTPResponse", _OPENER.open(f"http://127.0.0.1:{port}{path}", timeout=timeout_seconds))
