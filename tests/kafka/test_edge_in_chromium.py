"""A person's clicks in Chromium on each kind of link, through edge, Kafka and worker, judged by the updates.

Chromium presses what a person presses; the edge and the worker are the real processes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from consumer.verify.reader import decode_update
from consumer.verify.update_record import TOPICS
from deploy.kafka import Broker
from schemas.topics import LINK_CLICKS
from tests.builders import Record, a_link, an_action
from tests.support.browsing import open_tab, served
from tests.support.chromium import Tab
from tests.support.deployment import Deployment
from tests.support.edge import KEYRING, EdgeProcess, link_path
from tests.support.outcome import assert_exact, in_place, read
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("chromium")]

Headers = Sequence[tuple[bytes, bytes]]
HTML: Headers = ((b"content-type", b"text/html; charset=utf-8"),)
FIELD = {"name": "email", "label": "E-mail", "type": "email", "required": True, "autocomplete": None, "options": []}
CONFIRM = an_action("OpenRequest", guard="confirm")
CLICKS = 14
"""Eleven links opened and three buttons pressed; what Chromium fetches ahead is none."""


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with open_tab(tmp_path / "profile") as tab:
        tab.emulate()
        yield tab


class Site:
    """The customer's web site: mail with links, and the pages that links lead to. It notes what is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.mail = b""

    def answer(self, path: str, _body: bytes) -> tuple[int, Headers, bytes]:
        self.asked.append(path)
        return 200, HTML, self.mail if path == "/mail" else b"<p>arrived</p>"


class Reader:
    """A person who reads mail in Chromium, and clicks a link in it."""

    def __init__(self, tab: Tab, site: Site, address: str, edge: EdgeProcess) -> None:
        self._tab = tab
        self._site = site
        self._address = address
        self._edge = f"http://127.0.0.1:{edge.edge_port}"

    def click(self, link_id: str, recipient_id: str, *, head: str = "") -> str:
        """Open the mail, click its link, and return the text of the page that opens. `head` is of the mail's page."""
        url = self.url(link_id, recipient_id)
        self._site.mail = f'<head>{head.format(url=url)}</head><p><a href="{url}">More</a></p>'.encode()
        self._tab.go(f"{self._address}/mail")
        return self.press("a")

    def press(self, selector: str) -> str:
        """Press something that opens another page, and return that page's text."""
        self._tab.press(selector)
        self._tab.wait_for("Page.loadEventFired")
        text: str = self._tab.run("document.body.innerText")
        return text

    def url(self, link_id: str, recipient_id: str) -> str:
        return self._edge + link_path(link_id, recipient_id, f"person of {recipient_id}")


def links_to(address: str) -> tuple[Record, ...]:
    """A link of each kind."""
    url = f"{address}/spring?a=b&c#d"
    rules = [{"when": "language", "language": "en", "url": f"{address}/english"}]
    text = ("link_actions.TextResponse", {"text": "<p>Thanks</p>"})
    form = ("link_actions.FormResponse", {"form_id": "f", "prefill": [], "fields": [FIELD]})
    ruled = ("link_actions.RedirectResponse", {"url": url, "rules": rules})
    plain = ("link_actions.RedirectResponse", {"url": url, "rules": []})
    return (
        a_link(an_action(), link_id="redirect", url=url, response=plain),
        a_link(an_action(), link_id="rules", url=url, response=ruled),
        a_link(an_action(), link_id="text", url=None, response=text),
        a_link(an_action(), an_action("OpenRequest", slot=1, guard="confirm"), link_id="form", url=None, response=form),
        a_link(CONFIRM, link_id="confirm", url=url, response=plain),
        a_link(CONFIRM, link_id="confirm-text", url=None, response=text),
    )


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    keyring = tmp_path / "keyring.yaml"
    keyring.touch(mode=0o600)
    keyring.write_text(KEYRING.partition("tenants:")[0])  # any host, so that the browser needs no name server
    yield deployment
    deployment.close()


def click_redirects_and_texts(person: Reader, tab: Tab, address: str) -> None:
    assert person.click("redirect", "r-1") == "arrived"
    assert tab.run("location.href") == f"{address}/spring?a=b&c#d"
    assert person.click("rules", "r-2") == "arrived"
    assert tab.run("location.pathname") == "/english"
    assert "Thanks" in person.click("text", "r-3")


def confirm_and_decline(person: Reader) -> None:
    assert "Please confirm" in person.click("confirm", "pressed")
    assert person.press("button") == "arrived"
    assert "Please confirm" in person.click("confirm", "not-pressed")
    assert "Please confirm" in person.click("confirm", "declined")
    assert person.press("a.next") == "arrived"
    assert "Please confirm" in person.click("confirm-text", "pressed")
    assert "Thanks" in person.press("button")


def send_a_form(person: Reader, tab: Tab) -> None:
    assert "E-mail" in person.click("form", "sent")
    tab.run("document.querySelector('[name=email]').value = 'ann@example.com'")
    assert "received" in person.press("button")
    assert "E-mail" in person.click("form", "not-sent")


def click_after_speculation(person: Reader) -> None:
    prefetched = '<link rel="prefetch" href="{url}">'
    assert person.click("redirect", "prefetched", head=prefetched) == "arrived"
    speculation = '<script type="speculationrules">{{"prerender": [{{"urls": ["{url}"]}}]}}</script>'
    assert person.click("redirect", "prerendered", head=speculation) == "arrived"


def test_what_a_person_clicks_happens(deployment: Deployment, tab: Tab) -> None:
    site = Site()
    with served(site.answer) as port:
        address = f"http://127.0.0.1:{port}"
        deployment.define(*links_to(address))
        edge = EdgeProcess(deployment.servers, deployment.prefix, deployment.folder).wait_edge()
        person = Reader(tab, site, address, edge)
        click_redirects_and_texts(person, tab, address)
        confirm_and_decline(person)
        send_a_form(person, tab)
        click_after_speculation(person)
        wait_until(lambda: edge.metrics()["edge_answers_total", "speculation", "503"] >= 1, "a declared prefetch")
        edge.wait_published()
        assert edge.stop() == 0

    deployment.drain("a")
    outcome = assert_exact(deployment)
    assert outcome.model.actions["request", "not_confirmed"] == 6
    assert applied(deployment) == [
        ("confirm", "pressed", "action-0"),
        ("confirm-text", "pressed", "action-0"),
        ("form", "not-sent", "action-0"),
        ("form", "sent", "action-0"),
        ("form", "sent", "action-1"),
        ("redirect", "prefetched", "action-0"),
        ("redirect", "prerendered", "action-0"),
        ("redirect", "r-1", "action-0"),
        ("rules", "r-2", "action-0"),
        ("text", "r-3", "action-0"),
    ]
    clicks = [*in_place(read(deployment, LINK_CLICKS), deployment.partitions)]
    assert len(clicks) == len({click["click_id"] for click in clicks}) == CLICKS
    assert {click["fetch_mode"] for click in clicks} == {"navigate"}


def applied(deployment: Deployment) -> list[tuple[str, str, str]]:
    updates = [decode_update(update) for topic in TOPICS.values() for update in read(deployment, topic)]
    return sorted((update["link_id"], update["recipient_id"], update["action_id"]) for update in updates)
