"""`links sign`: a line in, its link out; nothing is skipped."""

import base64
import json
import time
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from cli.app import execute
from cli.link_signing import FIELDS, LinkSigner, parse_hosts
from edge.keyring import load_keyring
from runtime.errors import UsageError
from schemas.link_token import derive_key, link_url, open_token, sign
from schemas.token_payload import SentLink

MASTER = bytes(range(32))
KEYRING = f"""
masters: {{main: {base64.b64encode(MASTER).decode()}}}
keys:
  - {{key_id: 1, tenant: acme, state: valid, created: 2026-11-01, master: main}}
  - {{key_id: 2, tenant: acme, state: signing, created: 2026-12-01, master: main}}
  - {{key_id: 3, tenant: globex, state: signing, created: 2026-12-01, master: main}}
  - {{key_id: 4, tenant: initech, state: answer_only, created: 2026-12-01, master: main}}
"""
ACME, GLOBEX = derive_key(MASTER, 2, "acme"), derive_key(MASTER, 3, "globex")
LINE = {"tenant_id": "acme", "link_id": "spring", "recipient_id": "r-17"}
HOST = "klik.example.com"
NOON = 1_795_608_000_000  # 2026-11-25T12:00:00Z


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    path = tmp_path / "keyring.yaml"
    path.touch(mode=0o600)
    path.write_text(KEYRING)
    return path


@pytest.fixture
def signed(
    keyring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str], str]]:
    """Run the command on lines, and return its exit code, output lines and messages."""

    def run(*lines: object, options: tuple[str, ...] = ("--host", HOST)) -> tuple[int, list[str], str]:
        file = tmp_path / "links.ndjson"
        file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        code = execute(["links", "sign", "--keyring", str(keyring), *options, str(file)])
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err

    return run


def url_of(sent: SentLink) -> str:
    return link_url(HOST, sign(ACME, sent))


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, SentLink("spring", "r-17")),
        (
            {"person_id": "4711", "company_id": "42", "mailing_id": "m", "link_count": 12, "test": True},
            SentLink("spring", "r-17", "4711", "42", "m", link_count=12, is_test=True),
        ),
        ({"flow_id": "f", "flow_run_id": "7"}, SentLink("spring", "r-17", flow_id="f", flow_run_id="7")),
        ({"link_count": 1}, SentLink("spring", "r-17", link_count=1)),
        ({"sent_at": NOON}, SentLink("spring", "r-17", sent_at_ms=NOON)),
        ({"sent_at": "2026-11-25T13:00:00+01:00"}, SentLink("spring", "r-17", sent_at_ms=NOON)),
        ({"person_id": None, "mailing_id": " ", "sent_at": "", "test": False}, SentLink("spring", "r-17")),
    ],
)
def test_link_equals_that_of_the_python_functions(fields: dict[str, Any], sent: SentLink, signed: Any) -> None:
    code, lines, _ = signed(LINE | fields)

    assert code == 0
    assert [json.loads(line) for line in lines] == [LINE | fields | {"url": url_of(sent)}]


def test_text_is_the_urls_in_order(signed: Any) -> None:
    lines = [LINE | {"recipient_id": str(number)} for number in range(1, 20)]

    code, urls, said = signed(*lines, options=("--host", HOST, "--format", "text"))

    assert (code, said) == (0, "")
    assert urls == [url_of(SentLink("spring", str(number))) for number in range(1, 20)]


def test_standard_input(keyring: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(LINE).encode())))

    assert execute(["links", "sign", "--keyring", str(keyring), "--host", HOST, "--format", "text", "-"]) == 0
    assert capsys.readouterr().out == url_of(SentLink("spring", "r-17")) + "\n"


def test_each_tenant_has_its_key_and_host(signed: Any) -> None:
    hosts = ("--host", HOST, "--host", "globex=l.globex.example:8443", "--format", "text")

    _, [ours, theirs], _ = signed(LINE, LINE | {"tenant_id": "globex"}, options=hosts)

    assert ours == url_of(SentLink("spring", "r-17"))
    assert theirs.startswith("https://l.globex.example:8443/l/")
    assert open_token(theirs.rpartition("/")[2], {3: GLOBEX}) == (GLOBEX, SentLink("spring", "r-17"))


BAD_LINES = [
    ("", "not JSON from column 1 on"),
    ("{", "not JSON"),
    ("[]", 'not a JSON object; a link is {"tenant_id": …, "link_id": …, "recipient_id": …}'),
    ('{"test": true, "test": false}', "a field is repeated"),
    (LINE | {"mailing": "m"}, "a link has no field 'mailing'; did you mean 'mailing_id'?"),
    (LINE | {"url": "https://e.com"}, "a link has no field 'url'; fields are tenant_id, link_id"),
    ({"tenant_id": "acme", "link_id": "a"}, "recipient_id is missing"),
    (LINE | {"link_id": " "}, "link_id is missing"),
    (LINE | {"recipient_id": 17}, 'recipient_id must be text in quotes, such as "x"'),
    (LINE | {"flow_id": "f"}, "flow_id and flow_run_id go together"),
    (LINE | {"sent_at": "soon"}, "sent_at is not a time"),
    (LINE | {"sent_at": "2026-11-25T12:00:00"}, "sent_at has no time zone"),
    (LINE | {"sent_at": 1_795_608_000}, "sent_at looks like seconds"),
    (LINE | {"sent_at": "2023-12-31T23:59:59Z"}, "sent_at is before 2024"),
    (LINE | {"link_count": 0}, "link_count is below 1"),
    (LINE | {"link_count": 2**31}, "link_count must be a whole number that fits 32 bits"),
    (LINE | {"link_count": "3"}, "link_count must be a whole number"),
    (LINE | {"test": "yes"}, "test must be true or false"),
    (LINE | {"recipient_id": "a\x1fb"}, "an id holds the control character U+001F"),
    (LINE | {"recipient_id": "\ud800"}, "half of a surrogate pair"),
    (LINE | {"recipient_id": "x" * 5_000}, "shorten ids"),
    (LINE | {"tenant_id": "initech"}, "no key of the keyring signs for tenant initech; add one with state: signing"),
    (LINE | {"tenant_id": "nobody"}, "no key of the keyring signs for tenant nobody"),
]


@pytest.mark.parametrize(("line", "sentence"), BAD_LINES)
def test_first_bad_line_ends_the_command(line: object, sentence: str, signed: Any) -> None:
    code, lines, said = signed(LINE, line, LINE)

    assert code == 2
    assert [json.loads(each)["url"] for each in lines] == [url_of(SentLink("spring", "r-17"))]
    assert "links.ndjson:2: " in said
    assert sentence in said
    assert said.endswith("; the link of the line before it has been written\n")


def test_bad_first_line_says_that_nothing_was_written(signed: Any) -> None:
    code, lines, said = signed("x")

    assert (code, lines) == (2, [])
    assert said.endswith("links.ndjson:1: not JSON from column 1 on; no link has been written\n")


def test_messages_hold_no_id(signed: Any) -> None:
    for line, _ in BAD_LINES:
        if isinstance(line, dict) and line.get("recipient_id") == "r-17":
            assert "r-17" not in signed(line)[2]


def test_tenant_without_a_host(signed: Any) -> None:
    code, _, said = signed(LINE, options=("--host", "globex=l.globex.example"))

    assert code == 2
    assert "no host is given for tenant acme; give --host acme=HOST" in said


@pytest.mark.parametrize(
    "host", ["", "https://", "a b", "klik.example.com/x", "bücher.example", "a=", "ftp://a", "a:b"]
)
def test_host_that_is_none(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host; write one such as"):
        parse_hosts([host])


def test_two_hosts_for_one_tenant() -> None:
    with pytest.raises(UsageError, match="two hosts for acme"):
        parse_hosts(["acme=a.example", "acme=b.example"])


def test_keyring_that_others_can_read(keyring: Path, signed: Any) -> None:
    keyring.chmod(0o644)

    code, lines, said = signed(LINE)

    assert (code, lines) == (2, [])
    assert "--keyring: " in said
    assert "can be read by others; run chmod 600" in said


def test_keyring_that_is_none(keyring: Path, signed: Any) -> None:
    keyring.write_text("keys: x")

    code, lines, said = signed(LINE)

    assert (code, lines) == (2, [])
    assert "keyring.yaml: keys" in said


def test_help_names_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["links", "sign", "--help"]) == 0
    said = capsys.readouterr().out

    assert [name for name in FIELDS if name not in said] == []


def test_signs_100_000_links_a_minute(keyring: Path) -> None:
    """CPU time, as other programs run beside the tests; it takes a twentieth of this."""
    signer = LinkSigner(load_keyring(keyring), {"": HOST})
    fields = {"person_id": "4711", "mailing_id": "spring", "sent_at": "2026-11-25T12:00:00Z", "link_count": 12}
    lines = [json.dumps(LINE | fields | {"recipient_id": str(number)}).encode() for number in range(5_000)]

    started = time.process_time()
    for line in lines:
        signer.sign(line)
    assert time.process_time() - started < len(lines) * 60 / 100_000
