"""Client networks, rate limit, languages of browsers, records of clicks, settings."""

from ipaddress import ip_network
from typing import Any

import pytest

from edge.accept_language import is_first_language, page_language
from edge.click_record import ClickEncoder
from edge.client_address import Client, client_of
from edge.network_table import NetworkTable
from edge.rate_limit import RateLimit
from edge.settings import EdgeSettings, Sync
from runtime.config.environment import WrongSettings, load_settings, load_settings_of
from schemas.record_schema import record_schema
from tests.edge.parts import NO_NETWORKS, SCHEMAS

PROXIES = NetworkTable([(ip_network("10.0.0.0/8"), True), (ip_network("::1/128"), True)])
REQUIRED = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "broker:9092", "LINK_ACTIONS_EDGE_KEYRING": "/etc/keyring.yaml"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("192.0.2.77", None, "192.0.2.0/24"),
        ("2001:db8:1:2::77", None, "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", None, "192.0.2.0/24"),
        (None, None, None),
        ("192.0.2.77", b"198.51.100.9", "192.0.2.0/24"),
        ("10.1.1.1", b"198.51.100.9", "198.51.100.0/24"),
        ("10.1.1.1", b"203.0.113.5, 198.51.100.9", "198.51.100.0/24"),
        ("10.1.1.1", b"198.51.100.9, 10.2.2.2", "198.51.100.0/24"),
        ("::1", b"198.51.100.9:4711", "198.51.100.0/24"),
        ("10.1.1.1", b"[2001:db8:1:2::77]:4711", "2001:db8:1::/48"),
        ("10.1.1.1", b"unknown", None),
        ("10.1.1.1", b"", "10.1.1.0/24"),
        ("10.1.1.1", b"\xff" * 9_000, None),
    ],
)
def test_client_network(peer: str | None, forwarded: bytes | None, network: str | None) -> None:
    assert client_of(peer, forwarded, PROXIES, NO_NETWORKS) == Client(network)


def test_rate_limit_counts_each_token_in_each_minute() -> None:
    now_ms = 0
    guard = RateLimit(lambda: now_ms, limit=2)
    assert [guard.admits(token) for token in ("a", "a", "a", "b")] == [True, True, False, True]
    now_ms = 60_000
    assert guard.admits("a")


@pytest.mark.parametrize(
    ("accepted", "tenant", "language"),
    [(b"nl-BE,en;q=0.5", None, "nl"), (None, None, "en"), (b"fr", "da", "da"), (b"\xff;q=", None, "en")],
)
def test_page_language(accepted: bytes | None, tenant: str | None, language: str) -> None:
    assert page_language(accepted, tenant) == language


@pytest.mark.parametrize(
    ("tag", "accepted", "is_first"),
    [
        ("nl", b"nl", True),
        ("nl", b"NL-be;q=0.9, en;q=0.8", True),
        ("pt-BR", b"pt-br", True),
        ("pt-BR", b"pt", False),
        ("nl", b"en, nl", False),
        ("nl", b"en;q=0.1, nl;q=0.2", True),
        ("nl", b"nl;q=x", False),
        ("nl", b"nl;q=inf, en", False),
        ("nl", b"en;q=0.5, nl;q=2", False),
        ("nl", None, False),
    ],
)
def test_first_language(tag: str, accepted: bytes | None, is_first: bool) -> None:
    assert is_first_language(tag, accepted) is is_first


def test_encoder_refuses_a_schema_with_other_fields() -> None:
    """A field that is appended must be encoded before an edge writes by the new schema."""
    definition: dict[str, Any] = SCHEMAS["LinkClicked"].definition
    longer = record_schema(definition | {"fields": [*definition["fields"], {"name": "extra", "type": "string"}]})
    with pytest.raises(ValueError, match="the edge encodes"):
        ClickEncoder(longer, b"")


def test_settings_have_defaults() -> None:
    settings = load_settings_of(EdgeSettings, REQUIRED)
    assert (settings.edge_port, settings.edge_sync, settings.edge_spool_limit) == (8080, Sync.KILL, 10 << 30)
    assert settings.edge_trusted_proxies == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EDGE_SPOOL_LIMIT", "10"),
        ("EDGE_SPOOL_LIMIT", "127 MiB"),
        ("EDGE_SYNC", "never"),
        ("EDGE_PORT", "65536"),
        ("EDGE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("EDGE_NETWORK", "/etc/networks.txt"),
        ("EDGE_PROT", "80"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(WrongSettings, match=f"LINK_ACTIONS_{name}"):
        load_settings_of(EdgeSettings, {**REQUIRED, f"LINK_ACTIONS_{name}": value})


def test_other_programs_ignore_settings_of_the_edge() -> None:
    assert load_settings({**REQUIRED, "LINK_ACTIONS_EDGE_PROT": "80"}) == load_settings(REQUIRED)
