"""`demo --serve` answers each link over HTTP and shows the update of each; only a pressed button confirms."""

import json
import re
import signal
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import pytest

from consumer.demo.links import read_links
from consumer.demo.service import LINK_FILE
from deploy.kafka import Broker
from tests.demo.test_demo_on_kafka import COMMAND, environ_of, topics_of_demos
from tests.support.patience import stretched

LINKS = ["redirect", "text", "form", "confirm"]


def fetched(url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    """Return status, and the address of a redirect or the page."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=stretched(10))) as connection:
        method, body = ("GET", None) if form is None else ("POST", urlencode(form))
        headers = {"User-Agent": "Mozilla/5.0", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, parts.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location") or answer.read().decode()


def next_line(stream: IO[str] | None) -> dict[str, Any]:
    assert stream is not None
    line: dict[str, Any] = json.loads(stream.readline())
    return line


def fields_of(page: str) -> dict[str, str]:
    hidden = [tag for tag in re.findall(r"<input[^>]*>", page) if "hidden" in tag]
    return {re.findall(r'name="?([^" >]+)', tag)[0]: re.findall(r'value="?([^" >]*)', tag)[0] for tag in hidden}


@pytest.mark.timeout(180)
def test_each_link_is_answered_and_its_update_shown(kafka: Broker, tmp_path: Path) -> None:
    before = topics_of_demos(kafka)
    demo = subprocess.Popen(
        [*COMMAND, "--serve", "--json"], env=environ_of(kafka, tmp_path), stdout=subprocess.PIPE, text=True
    )
    try:
        urls = {line["link"]: line["url"] for line in (next_line(demo.stdout) for _ in range(4))}
        assert list(urls) == LINKS

        status, page = fetched(urls["confirm"])
        assert (status, "<form" in page) == (200, True)
        assert fetched(urls["redirect"]) == (302, "https://www.example.com/spring")
        # The click of the page came first and has shown nothing.
        assert next_line(demo.stdout)["value"]["link_id"] == "redirect"

        assert "Thank you!" in fetched(urls["text"])[1]
        assert next_line(demo.stdout)["value"]["field"] == "newsletter_choice"
        form = fields_of(fetched(urls["form"])[1])
        assert next_line(demo.stdout)["value"]["link_id"] == "form"
        assert fetched(urls["form"], form | {"name": "Ann", "email": "ann@example.com", "question": ""})[0] == 303
        sent = next_line(demo.stdout)["value"]
        assert (sent["form_id"], sent["fields"]["email"]) == ("webinar", "ann@example.com")
        assert fetched(urls["confirm"], fields_of(page) or {"c": ""})[0] == 303
        removed = next_line(demo.stdout)["value"]
        assert (removed["link_id"], removed["operation"]) == ("confirm", "remove")
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=stretched(60))

    assert demo.returncode == 0
    assert topics_of_demos(kafka) == before
    assert list(tmp_path.iterdir()) == []


def test_links_to_click_are_one_of_each_kind() -> None:
    assert [link.reference.link_id for link in read_links(LINK_FILE)] == LINKS
