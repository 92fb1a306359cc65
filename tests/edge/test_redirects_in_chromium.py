"""Chromium follows redirects to a local server, which notes the request lines; 10,000 of them with `make browser`."""

import json
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from consumer.links.web_address import check_url
from tests.edge.parts import HOST, a_token
from tests.edge.test_http_server import RunningServer
from tests.edge.test_locations import a_link_to
from tests.edge.test_urls_in_chromium import a_tail, as_chromium_sends
from tests.support.browsing import open_tab, served
from tests.support.chromium import Tab

pytestmark = pytest.mark.xdist_group("chromium")

COUNT = 10_000 if os.environ.get("REQUIRE_BROWSER") else 300
BATCH = 250


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with open_tab(tmp_path / "profile", f"--host-resolver-rules=MAP {HOST.decode()} 127.0.0.1") as tab:
        yield tab


def some_urls(origin: str, count: int) -> list[str]:
    """Return canonical addresses at this origin, each with the number of its link."""
    chance, found = random.Random(11), list[str]()
    while len(found) < count:
        with suppress(ValueError):
            found.append(check_url(f"{origin}/{len(found)}/{a_tail(chance)}"))
    return found


def test_request_lines_are_what_links_check_showed(tab: Tab, tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(path: str, _body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if path != "/favicon.ico":
            asked.append(path)
        return 200, [], b""

    with served(answer, decode=str) as port:
        urls = some_urls(f"http://127.0.0.1:{port}", COUNT)
        server = RunningServer(tmp_path / "spool", *(a_link_to(number, url) for number, url in enumerate(urls)))
        try:
            tab.go(f"http://127.0.0.1:{port}/")
            asked.clear()
            follow_all(tab, f"http://{HOST.decode()}:{server.address[1]}")
        finally:
            server.close()
        shown = [as_chromium_sends(url).removeprefix(f"http://127.0.0.1:{port}").partition("#")[0] for url in urls]
    assert sorted(asked) == sorted(shown)


def follow_all(tab: Tab, edge: str) -> None:
    """Fetch every link, redirects followed as for a picture; the page may not read the answers, and need not."""
    for begin in range(0, COUNT, BATCH):
        links = [f"{edge}/l/{a_token(f'link-{number}')}" for number in range(begin, min(begin + BATCH, COUNT))]
        tab.run(f"Promise.all({json.dumps(links)}.map(url => fetch(url, {{mode: 'no-cors'}}).then(() => 0)))")
