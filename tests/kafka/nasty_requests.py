"""Nasty requests: the bytes, the statuses of the answers, and the number of clicks. The groups are numbered.

1 no token; 2 one character changed; 3 keys; 4 alphabet; 5 appended text; 6 case; 7 odd paths; 8 length; 9 target, host;
10 versions and upgrades; 11 bodies and lengths; 13 pipelines; 14 methods; 15 speculation; 16 agents; 17 forwarded
addresses; 18, 19 odd targets; 20 links; 21 texts; 22 forms; 23 one-click POSTs. `ELSEWHERE` has the other groups.
"""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from schemas.link_token import derive_key, sign
from schemas.token_payload import SentLink
from tests.builders import Record, a_link, an_action
from tests.support.edge import HOST, MASTER, link_path

RECIPIENT, AGENT, CLIENT = "r-secret-77", "Secret-Agent/7", "198.51.100.77"
STRANGER, PROXY = "127.0.0.1", "127.0.0.2"
"""Addresses that the requests come from; an edge under test trusts the second one."""
COMMON = f"Host: {HOST}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n"
LONG = "x" * 9_000
URLENCODED = "Content-Type: application/x-www-form-urlencoded\r\n"
ODD_TEXT = "<h1>\u202egnp.exe</h1><script>alert(1)</script></style><style>*{}</style>"

ELSEWHERE = {
    "12 a byte a second, silence, 5,000 idle connections": "tests/kafka/test_edge_strangers.py::test_slow_attacks",
    "24 one link from ten sockets": "tests/kafka/test_edge_inputs.py::test_one_link_from_ten_sockets_is_ten_clicks",
    "25 wrong clock": "tests/kafka/test_edge_surroundings.py::test_wrong_clock",
    "26 no broker": "tests/kafka/test_edge.py::test_second_start_needs_no_broker",
    "26 slow broker": "tests/kafka/test_edge.py::test_frozen_broker_is_not_noticed_by_people",
    "26 no topic": "tests/kafka/test_edge_surroundings.py::test_missing_topic",
    "26 record too large": "tests/kafka/test_edge_faults.py::test_record_too_large_for_the_topic_blocks_no_other",
    "26 no right": "tests/security/test_edge_rights.py::test_rights_of_the_role_suffice",
    "27 full disk": "tests/kafka/test_edge_disks.py::test_full_disk",
    "27 failing disk": "tests/kafka/test_edge_disks.py::test_failing_disk",
    "27 damaged segment": "tests/kafka/test_edge_disks.py::test_damaged_segment",
    "27 half a record": "tests/edge/test_spool.py::test_a_record_written_in_part_is_not_read_after_a_crash",
    "28 SIGKILL": "tests/kafka/test_edge.py::test_kills_lose_no_answered_click",
    "28 SIGTERM": "tests/kafka/test_edge_faults.py::test_stop_answers_or_closes_what_is_open",
    "28 SIGSTOP": "tests/kafka/test_edge_surroundings.py::test_stopped_edge_goes_on",
    "28 no descriptors": "tests/kafka/test_edge_faults.py::test_edge_out_of_descriptors_recovers",
    "29 definitions": "tests/kafka/test_edge_surroundings.py::test_no_links_odd_links",
    "30 keyring while running": "tests/kafka/test_edge_surroundings.py::test_keyring_while_running",
    "30 keyring at the start": "tests/edge/test_app.py::test_unusable_keyring_ends_the_start",
    "31 takeover": "tests/kafka/test_edge_faults.py::test_killed_edge_of_two_loses_nothing",
    "32 Chromium": "tests/edge/pages/test_in_chromium.py::test_axe_finds_no_violation",
}
"""Groups that need more than bytes, and the test of each."""

_numbers = count()


class Row(NamedTuple):
    """One request. `source` is the address that it comes from, `network` what its click must say of the client."""

    group: int
    name: str
    request: bytes
    statuses: list[int]
    clicks: int
    source: str = STRANGER
    network: str | None = None


def path(link_id: str = "spring") -> str:
    """A link of a new recipient: no row is one of too many clicks with one token."""
    return link_path(link_id, f"{RECIPIENT}-{next(_numbers)}")


def ask(target: str, *, method: str = "GET", headers: str = "", body: str = "", version: str = "HTTP/1.1") -> bytes:
    return f"{method} {target} {version}\r\n{COMMON}{headers}\r\n{body}".encode("latin-1")


def form(target: str, body: str, headers: str = URLENCODED) -> bytes:
    return ask(target, method="POST", headers=f"{headers}Content-Length: {len(body)}\r\n", body=body)


def bare(target: str, headers: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode()


def a_text(link_id: str, text: str) -> Record:
    return a_link(link_id=link_id, url=None, response=("link_actions.TextResponse", {"text": text}))


def a_redirect(link_id: str, url: str) -> Record:
    return a_link(link_id=link_id, url=url, response=("link_actions.RedirectResponse", {"url": url, "rules": []}))


TARGETS = {
    "idn": "https://xn--bcher-kva.example/%C3%BC",
    "plus": "https://example.com/a+b%20c%2Fd??e=%23#f#g",
    "pairs": "https://example.com/?a&b=&a=2&c=[]&d='\"",
    "long": "https://example.com/" + "x" * 8_000,
    "user": "https://user:secret@[2001:db8::1]:8443/",
}
"""Published without a check, which would change some of them."""
REFUSED_TARGETS = {
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "relative": "//evil.example/",
    "crlf": "https://example.com/\r\nSet-Cookie: a=b",
    "tab": "https://exa\tmple.com/",
}
"""`links check` refuses each; an edge that meets one all the same must answer one header and go on."""
EMAIL = {"name": "email", "label": "E-mail", "type": "email", "required": True, "autocomplete": None, "options": []}
FORM = {"form_id": "webinar", "prefill": [], "fields": [EMAIL]}
LINKS = (
    a_link(),
    a_link(an_action(), link_id="news"),
    a_link(an_action(guard="confirm"), link_id="ask"),
    a_link(link_id="gone", status="deleted"),
    *(a_redirect(name, url) for name, url in {**TARGETS, **REFUSED_TARGETS}.items()),
    a_link(link_id="form", url=None, response=("link_actions.FormResponse", FORM)),
    a_text("text", ODD_TEXT),
    a_text("nul", "a\x00b"),
    a_text("large", "<p>" + "y" * 500_000 + "</p>"),
)


def rows() -> Iterator[Row]:
    """Yield all requests."""
    yield Row(0, "plain", ask(path()), [302], 1)
    yield from _tokens()
    yield from _paths()
    yield from _protocol()
    yield from _methods()
    yield from _headers()
    yield from _links()
    yield from _posts()


def _tokens() -> Iterator[Row]:
    token = path().removeprefix("/l/")
    last = token[-1]
    stray = chr(ord(last) + 1)
    strange_key = sign(derive_key(MASTER, 9, "acme"), SentLink("spring", RECIPIENT))
    strange_tenant = sign(derive_key(MASTER, 1, "globex"), SentLink("spring", RECIPIENT))
    yield Row(1, "empty token", ask("/l/"), [404], 0)
    yield Row(1, "no token", ask("/l"), [404], 0)
    for at in range(len(token)):
        changed = f"{token[:at]}{'A' if token[at] != 'A' else 'B'}{token[at + 1 :]}"
        yield Row(2, f"character {at} changed", ask(f"/l/{changed}"), [404], 0)
    yield Row(3, "unknown key", ask(f"/l/{strange_key}"), [404], 0)
    yield Row(3, "another tenant's key", ask(f"/l/{strange_tenant}"), [404], 0)
    yield Row(3, "unknown format", ask(f"/l/Ag{token[2:]}"), [404], 0)
    yield Row(4, "padded", ask(f"/l/{token}=="), [404], 0)
    yield Row(4, "other alphabet", ask(f"/l/+/{token}"), [404], 0)
    yield Row(4, "stray bits in the last character", ask(f"/l/{token[:-1]}{stray}"), [404], 0)
    for end in (">", ")", ".", "%22", "/", "&amp;utm=x", "?fbclid=1", ";a"):
        yield Row(5, f"trailing {end}", ask(path() + end), [302], 1)
    yield Row(6, "upper case", ask(f"/l/{token.upper()}"), [404], 0)
    yield Row(6, "lower case", ask(f"/l/{token.lower()}"), [404], 0)


def _paths() -> Iterator[Row]:
    token = path().removeprefix("/l/")
    yield Row(7, "dots", ask(f"/l/%2e%2e/{token}"), [404], 0)
    yield Row(7, "double slash", ask(f"//l/{token}"), [404], 0)
    yield Row(7, "NUL", ask(f"/l/%00{token}"), [404], 0)
    yield Row(7, "header in the path", ask(f"/l/%0d%0aSet-Cookie:x/{token}"), [404], 0)
    yield Row(7, "backslash", ask(f"/l/\\{token}"), [404], 0)
    yield Row(8, "8 KB token", ask("/l/" + "A" * 8_000), [404], 0)
    yield Row(8, "target at the limit", ask("/l/" + "A" * 8_189), [404], 0)
    yield Row(8, "target above the limit", ask("/l/" + "A" * 8_190), [414], 0)
    yield Row(8, "1 MB target", ask("/l/" + "A" * 1_000_000), [431], 0)
    yield Row(9, "absolute target", ask(f"http://{HOST}/l/{token}"), [400], 0)
    yield Row(9, "another host", bare(f"/l/{token}", "Host: other.example\r\n"), [404], 0)
    yield Row(9, "no host", bare(f"/l/{token}", ""), [400], 0)
    yield Row(9, "empty host", bare(f"/l/{token}", "Host: \r\n"), [404], 0)
    yield Row(9, "10 KB host", bare(f"/l/{token}", f"Host: {'h' * 10_000}\r\n"), [404], 0)
    yield Row(9, "two hosts", ask(f"/l/{token}", headers="Host: b.example\r\n"), [400], 0)


def _protocol() -> Iterator[Row]:
    chunked = "Transfer-Encoding: chunked\r\n"
    odd_protocol = "Sec-WebSocket-Protocol: \x80\xff\r\nSec-WebSocket-Key: x\r\n"
    yield Row(10, "HTTP/1.0", ask(path(), version="HTTP/1.0"), [302], 1)
    yield Row(10, "HTTP/9.9", ask(path(), version="HTTP/9.9"), [400], 0)
    yield Row(10, "HTTP/0.9", f"GET {path()}\r\n\r\n".encode(), [400], 0)
    yield Row(10, "h2c", ask(path(), headers="Upgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: x\r\n"), [302], 1)
    yield Row(10, "WebSocket", ask(path(), headers=f"Upgrade: websocket\r\n{odd_protocol}"), [302], 1)
    yield Row(10, "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], 0)
    yield Row(11, "both lengths", ask(path(), method="POST", headers=f"Content-Length: 4\r\n{chunked}"), [400], 0)
    yield Row(11, "two lengths", ask(path(), method="POST", headers="Content-Length: 1\r\n" * 2, body="x"), [400], 0)
    yield Row(11, "bad chunk", ask(path(), method="POST", headers=chunked, body="zz\r\n"), [400], 0)
    yield Row(11, "body of a GET", ask(path(), headers="Content-Length: 5\r\n", body="hello"), [302], 1)
    kept = ask(path()).replace(b"Connection: close\r\n", b"")
    yield Row(13, "pipelined", kept + ask(path()), [302, 302], 2)
    yield Row(13, "not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400], 0)


def _methods() -> Iterator[Row]:
    yield Row(14, "HEAD", ask(path(), method="HEAD"), [302], 0)
    yield Row(14, "OPTIONS", ask(path(), method="OPTIONS"), [204], 0)
    for method in ("TRACE", "PUT", "DELETE", "CONNECT"):
        yield Row(14, method, ask(path(), method=method), [405], 0)
    for method in ("get", "GeT"):
        yield Row(14, method, ask(path(), method=method), [400], 0)


def _headers() -> Iterator[Row]:
    for line in ("Sec-Purpose: prefetch;prerender", "Purpose: prefetch", "X-Moz: prefetch"):
        yield Row(15, line, ask(path(), headers=f"{line}\r\n"), [503], 0)
    yield Row(15, "1 KB of it", ask(path(), headers=f"Sec-Purpose: {'prefetch;' * 114}\r\n"), [503], 0)
    yield Row(15, "strange purpose", ask(path(), headers="Sec-Purpose: ,,\r\n"), [302], 1)
    yield Row(16, "no agent", bare(path(), f"Host: {HOST}\r\n"), [302], 1)
    yield Row(16, "64 KB agent", bare(path(), f"Host: {HOST}\r\nUser-Agent: {'x' * 65_536}\r\n"), [431], 0)
    yield Row(16, "long headers", ask(path(), headers=f"X: {LONG}\r\nY: {LONG}\r\n"), [431], 0)
    yield Row(16, "Latin-1 agent", ask(path(), headers="User-Agent: \xe4\xf6\r\n"), [302], 1)
    yield Row(16, "emoji", bare(path(), f"Host: {HOST}\r\nUser-Agent: \N{GRINNING FACE}\r\n"), [302], 1)
    yield Row(16, "control character", ask(path(), headers="User-Agent: \x1f\r\n"), [400], 0)
    for name, value, source, network in (
        ("forged address", CLIENT, STRANGER, "127.0.0.0/24"),
        ("address from a proxy", CLIENT, PROXY, "198.51.100.0/24"),
        ("chain", f"203.0.113.9, {CLIENT}, {PROXY}", PROXY, "198.51.100.0/24"),
        ("IPv6 with port", "[2001:db8:7:1::77]:4711", PROXY, "2001:db8:7::/48"),
        ("unknown", "unknown", PROXY, None),
    ):
        yield Row(17, name, ask(path(), headers=f"X-Forwarded-For: {value}\r\n"), [302], 1, source, network)


def _links() -> Iterator[Row]:
    for group, targets in ((18, TARGETS), (19, REFUSED_TARGETS)):
        for name in targets:
            yield Row(group, name, ask(path(name)), [302], 1)
    yield Row(20, "unknown link", ask(path("unknown")), [404], 0)
    yield Row(20, "deleted link", ask(path("gone")), [302], 1)
    for name in ("text", "nul", "large"):
        yield Row(21, name, ask(path(name)), [200], 1)


def _posts() -> Iterator[Row]:
    one_click = "List-Unsubscribe=One-Click"
    multipart = f'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n{one_click[17:]}\r\n--b--\r\n'
    boundary = "Content-Type: multipart/form-data; boundary=b\r\n"
    foreign = f"{URLENCODED}Origin: https://evil.example\r\n"
    page = "page_click_id=0b3c1a44-9b6e-4c55-8d0f-3f0a6d3c7b11"
    filled = "email=a%40example.com&" + page
    yield Row(22, "form", ask(path("form")), [200], 1)
    yield Row(22, "form without its field", form(path("form"), page), [422], 0)
    yield Row(22, "form with an address that is none", form(path("form"), 'email="><script>'), [422], 0)
    yield Row(22, "form filled in, without its page", form(path("form"), "email=a%40example.com"), [303], 1)
    sent = form(path("form"), filled)
    yield Row(22, "form filled in", sent, [303], 1)
    yield Row(22, "form sent again", sent, [303], 1)
    yield Row(22, "field that is there twice", form(path("form"), f"email=b&{filled}"), [400], 0)
    yield Row(22, "10,000 short fields", form(path("form"), "a=1&" * 10_000), [400], 0)
    yield Row(22, "POST without a page", form(path(), ""), [303], 1)
    yield Row(22, "10 MB body", form(path(), "x" * 10_000_000), [413], 0)
    yield Row(22, "10,000 fields", form(path("ask"), "&".join(f"f{each}=1" for each in range(10_000))), [413], 0)
    yield Row(22, "page that never was", form(path("ask"), "page_click_id=x"), [303], 1)
    yield Row(22, "other content", form(path("ask"), "{}", "Content-Type: application/json\r\n"), [400], 0)
    yield Row(22, "foreign origin", form(path("ask"), page, foreign), [303], 1)
    yield Row(23, "one click to a redirect", form(path(), one_click), [200], 1)
    yield Row(23, "one click, multipart", form(path(), multipart, boundary), [200], 1)
    yield Row(23, "one click with cookies", form(path(), one_click, f"{URLENCODED}Cookie: a=b\r\n"), [200], 1)
