"""The Location that a browser gets is, byte for byte, the address that `links check` shows."""

import re
from pathlib import Path

from edge.link import EdgeLink
from tests.authoring.test_web_address import CHANGED, UNCHANGED
from tests.edge.parts import a_token, an_edge_link
from tests.edge.test_http_server import HEAD, RunningServer, read_all
from tests.edge.test_urls_in_chromium import some_addresses

BATCH = 500
LOCATION = re.compile(rb"\r\nlocation: ([^\r\n]*)\r\n")


def a_link_to(number: int, url: str) -> EdgeLink:
    response = ("link_actions.RedirectResponse", {"url": url, "rules": []})
    return an_edge_link(link_id=f"link-{number}", url=url, response=response)


def locations(server: RunningServer, count: int) -> list[bytes]:
    """Request each link once, on one connection for each batch; nothing but this socket touches the answers."""
    found: list[bytes] = []
    for begin in range(0, count, BATCH):
        paths = [f"/l/{a_token(f'link-{number}')}" for number in range(begin, min(begin + BATCH, count))]
        requests = [f"GET {path} HTTP/1.1\r\n{HEAD}\r\n" for path in paths]
        requests[-1] = requests[-1].removesuffix("\r\n") + "Connection: close\r\n\r\n"
        with server.connect() as client:
            client.sendall("".join(requests).encode())
            found += LOCATION.findall(read_all(client))
    return found


def test_10_000_addresses_arrive_unchanged(tmp_path: Path) -> None:
    known = [*(canonical for _, canonical in CHANGED), *UNCHANGED]
    shown = [*known, *(canonical for _, canonical in some_addresses(10_000 - len(known)))]
    server = RunningServer(tmp_path, *(a_link_to(number, url) for number, url in enumerate(shown)))
    try:
        assert locations(server, len(shown)) == [url.encode("ascii") for url in shown]
        assert [click["url"] for click in server.clicks] == shown
    finally:
        server.close()
