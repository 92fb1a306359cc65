"""The socket that browsers, or the proxy before the edge, connect to."""

import socket

from edge.http.server import BACKLOG
from runtime.errors import UsageError


def listen(host: str | None, port: int, *, is_shared: bool) -> socket.socket:
    """Listen on the port for browsers, on all addresses if `host` is None. Raises UsageError.

    A port that `is_shared` may be listened on by several processes.
    """
    host = host or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104 - browsers are elsewhere
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port),
            family=family,
            backlog=BACKLOG,
            reuse_port=is_shared,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise UsageError(
            f"Cannot listen on port {port} ({error.strerror}); set LINK_ACTIONS_EDGE_PORT to a free one"
        ) from error
