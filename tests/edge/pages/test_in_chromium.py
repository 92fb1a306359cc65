"""The pages in a real Chromium: readable in every setting, accessible by axe-core, and their forms arrive.

`make browser` installs what this needs; without it the tests are skipped.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import pytest

from edge.pages.form_answers import FormAnswers, read_form
from edge.pages.headers import ANY_ORIGIN, Headers, headers_of_page
from edge.pages.language import LANGUAGES
from edge.pages.layout import page
from edge.pages.markup import Html
from edge.pages.notices import text_page, thank_you_page
from tests.edge.pages.samples import CLICK_ID, FIELDS, PATH, VALUES, a_confirmation, a_form, all_pages
from tests.support.chromium import Tab, chromium, chromium_command

AXE = Path(__file__).parents[3] / ".cache/axe/package/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NAMES = list(all_pages("en"))
SETTINGS = {
    "light": {"prefers_color_scheme": "light"},
    "dark": {"prefers_color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
}
NARROW = 320

pytestmark = pytest.mark.xdist_group("chromium")  # one browser is enough

Answer = Callable[[str, bytes], tuple[int, Headers, bytes]]
Axe = Callable[[], dict[str, list[Any]]]


def do_without_browser(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"{reason}; run `make browser`, which installs it")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    command = chromium_command()
    if command is None:
        do_without_browser("there is no Chromium on this machine")
    with chromium(command, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def axe(tab: Tab) -> Axe:
    """Runs axe-core on the page that is open, and returns its results: rules with the elements concerned."""
    if not AXE.exists():
        do_without_browser("there is no axe-core in .cache/axe")
    options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}, "preload": False})
    shown = "list => list.map(rule => [rule.id, rule.nodes.map(node => node.html)])"

    def results() -> dict[str, list[Any]]:
        tab.run(f"{AXE.read_text()}; 0")
        found: dict[str, list[Any]] = tab.run(
            f"axe.run({options}).then(found => Object.fromEntries(['violations', 'incomplete', 'passes']"
            f".map(name => [name, ({shown})(found[name])])))"
        )
        return found

    return results


@contextmanager
def served(answer: Answer) -> Iterator[int]:
    """Serve what `answer` makes of path and body, on a port of 127.0.0.1; the path has no percent encoding."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, content = answer(unquote(self.path), body)
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


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """The address of all pages, at /<language>/<name>."""

    def answer(path: str, _body: bytes) -> tuple[int, Headers, bytes]:
        _, language, name = path.split("/") if path.count("/") == 2 else ("", "", "")
        content = all_pages(language).get(name) if language in LANGUAGES else None
        return (200, headers_of_page(), content) if content else (204, [], b"")

    with served(answer) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_violation(tab: Tab, axe: Axe, pages: str, *, name: str, setting: str) -> None:
    tab.emulate(width=NARROW, **SETTINGS[setting])
    tab.go(f"{pages}/en/{name}")

    results = axe()

    assert results["violations"] == []
    assert "color-contrast" not in dict(results["incomplete"])
    assert "color-contrast" in dict(results["passes"])
    assert tab.errors() == []


def test_axe_finds_planted_violations(tab: Tab, axe: Axe) -> None:
    content = page("en", "Planted", Html('<p style="color:#999;background:#fff">Pale</p><input type="text">'))
    with served(lambda *_: (200, [], content)) as port:
        tab.emulate()
        tab.go(f"http://127.0.0.1:{port}/")
        assert dict(axe()["violations"]).keys() == {"color-contrast", "label"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_scrolls_sideways(tab: Tab, pages: str, language: str) -> None:
    tab.emulate(width=NARROW)
    for name in NAMES:
        tab.go(f"{pages}/{language}/{name}")
        assert tab.run("document.documentElement.scrollWidth") == NARROW, name


def test_a_wide_picture_shrinks(tab: Tab) -> None:
    picture = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='900' height='90'/>"
    content = text_page("en", Html(f'<p><img alt="A picture" src="{picture}" width="900" height="90"></p>'), title="a")
    with served(lambda *_: (200, [], content)) as port:
        tab.emulate(width=NARROW)
        tab.go(f"http://127.0.0.1:{port}/")
        assert tab.run("document.documentElement.scrollWidth") == NARROW
        assert tab.run("document.images[0].naturalWidth") == 900


@pytest.mark.parametrize("name", NAMES)
def test_the_style_applies(tab: Tab, pages: str, name: str) -> None:
    """The policy lets the style through, dark is dark, and whatever is pressed is at least 44 pixels high."""
    backgrounds = {}
    for scheme in ("light", "dark"):
        tab.emulate(prefers_color_scheme=scheme)
        tab.go(f"{pages}/en/{name}")
        backgrounds[scheme] = tab.run("getComputedStyle(document.body).backgroundColor")
    pressed = "button, input:not([type=hidden], [type=checkbox]), select, textarea, .check, a.next"
    heights = tab.run(f"[...document.querySelectorAll('{pressed}')].map(each => each.getBoundingClientRect().height)")

    assert backgrounds["light"] != backgrounds["dark"]
    assert tab.run("getComputedStyle(document.body).marginTop") == "0px"
    assert all(height >= 44 for height in heights)


def test_the_focus_is_on_the_first_error_and_seen(tab: Tab, pages: str) -> None:
    tab.emulate()
    tab.go(f"{pages}/en/form with errors")

    assert tab.run("document.activeElement.name") == "email"
    assert tab.run("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_screen_readers_hear_label_and_error(tab: Tab, pages: str) -> None:
    tab.go(f"{pages}/en/form with errors")
    nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
    [field] = [node for node in nodes if node.get("name", {}).get("value") == "E-mail (required)" and "value" in node]

    assert field["description"]["value"] == "Error: Please enter a valid e-mail address, such as name@example.com."
    assert {"name": "invalid", "value": {"type": "token", "value": "true"}} in field["properties"]


def open_after_press(tab: Tab, policy_lists: Callable[[str], str | None]) -> tuple[str, list[bytes]]:
    """Press the button of a confirmation whose POST redirects to another origin, and that one to a third.

    Return the text of the page that is open then, and the bodies that were POSTed. `policy_lists` gives what the page's
    policy lists, from the origin of the first redirect.
    """
    bodies: list[bytes] = []

    def answer(path: str, body: bytes) -> tuple[int, Headers, bytes]:
        if path == "/page":
            return 200, headers_of_page(policy_lists(other_origin)), a_confirmation(path="/press")
        if path == "/press":
            bodies.append(body)
            return 303, [(b"location", f"{other_origin}/moved".encode())], b""
        return 301, [(b"location", f"http://127.0.0.1:{third}/".encode())], b""

    with served(lambda *_: (200, [], b"<p>arrived</p>")) as third, served(answer) as port:
        other_origin = f"http://localhost:{port}"
        tab.emulate()
        tab.go(f"http://127.0.0.1:{port}/page")
        tab.press("button")
        tab.wait_for("Page.loadEventFired", "Log.entryAdded")
        return tab.run("document.body.innerText"), bodies


def test_the_button_leads_to_the_target(tab: Tab) -> None:
    assert open_after_press(tab, lambda _: ANY_ORIGIN) == ("arrived", [b"page_click_id=" + CLICK_ID.encode()])


@pytest.mark.parametrize("policy_lists", [lambda _: None, lambda origin: origin], ids=["nothing", "one origin"])
def test_a_policy_that_does_not_list_every_origin_stops_it(tab: Tab, policy_lists: Callable[[str], str | None]) -> None:
    """Chromium checks each redirect after the POST: one origin is not enough if the target redirects as well."""
    text, bodies = open_after_press(tab, policy_lists)
    assert text.startswith("Please confirm")
    assert len(bodies) == 1


def test_a_form_that_is_filled_in_arrives(tab: Tab) -> None:
    answers = []

    def answer(path: str, body: bytes) -> tuple[int, Headers, bytes]:
        if path == "/page":
            return 200, headers_of_page(), a_form().replace(PATH.encode(), b"/press")
        answers.append(read_form("application/x-www-form-urlencoded", body, FIELDS))
        return 200, headers_of_page(), thank_you_page("en")

    with served(answer) as port:
        tab.emulate()
        tab.go(f"http://127.0.0.1:{port}/page")
        tab.run("document.querySelector('[name=day]').value = '2026-12-01'")
        tab.run("document.querySelector('button').scrollIntoView()")
        tab.press("button")
        tab.wait_for("Page.loadEventFired")

    assert answers == [FormAnswers({"phone": "", "people": "", "day": "2026-12-01"} | VALUES, {}, CLICK_ID)]
