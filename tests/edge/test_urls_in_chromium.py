"""The canonical form of addresses is that of a real browser, which has a parser of its own."""

import json
import random
from collections.abc import Iterator

import pytest

from runtime.authoring.web_address import check_url
from tests.authoring.test_web_address import CHANGED, UNCHANGED
from tests.edge.pages.test_in_chromium import do_without_browser
from tests.support.chromium import Tab, chromium, chromium_command

pytestmark = pytest.mark.xdist_group("chromium")

HOSTS = [
    "example.com", "EXAMPLE.com:443", "e.com.", "a_b.example", "127.0.0.1", "[2001:DB8:0::1]:8443", "bücher.example",
    "a\u0301.example", "faß.example", "σς.example", "İstanbul.example", "例え.テスト", "☃.example", "ｅxample.com",
    "ﬁ.example", "Ⅷ.example", "xn--bcher-kva.example",
]  # fmt: skip
STARTS = ["/", "?", "#", "", "/a/../", "/%2e%2e/", "//"]
CHARACTERS = "abcXYZ019-._~!$&'()*+,;=:@/?#[]%<>\"`{}|^ äß€🎉é中\u0301"
PARTS = [*CHARACTERS, "%2F", "%20", "%zz", "..", "&amp;", "+", "??", "##"]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    command = chromium_command()
    if command is None:
        do_without_browser("there is no Chromium on this machine")
    with chromium(command, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def some_addresses(count: int) -> Iterator[tuple[str, str]]:
    """Yield addresses that pass the check, with their canonical forms."""
    chance = random.Random(7)
    while count:
        tail = "".join(chance.choice(PARTS) for _ in range(chance.randint(0, 25)))
        url = f"https://{chance.choice(HOSTS)}{chance.choice(STARTS)}{tail}"
        try:
            canonical = check_url(url)
        except ValueError:
            continue
        yield url, canonical
        count -= 1


def as_chromium_sends(canonical: str) -> str:
    """Chromium encodes a vertical bar in a path, which the URL Standard does not; the server gets that in any case."""
    path = len(canonical.partition("?")[0].partition("#")[0])
    return canonical[:path].replace("|", "%7C") + canonical[path:]


def test_10_000_addresses_have_the_form_of_a_browser(tab: Tab) -> None:
    addresses = [*CHANGED, *((url, url) for url in UNCHANGED), *some_addresses(10_000)]
    written = json.dumps([url for url, _ in addresses])

    parsed = tab.run(f"{written}.map(url => new URL(url).href)")

    assert parsed == [as_chromium_sends(canonical) for _, canonical in addresses]


def test_a_browser_changes_nothing_about_them(tab: Tab) -> None:
    canonical = [as_chromium_sends(url) for _, url in some_addresses(1_000)]

    assert tab.run(f"{json.dumps(canonical)}.map(url => new URL(url).href)") == canonical
