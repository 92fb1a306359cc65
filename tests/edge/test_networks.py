"""Classes of networks: longest prefix, the operator's file, the class in a click."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edge.client_address import Client, client_of
from edge.network_classes import NetworkClass, load_networks, parse_networks
from edge.network_table import Network, NetworkTable
from edge.operator_files import OperatorFiles
from edge.watched_file import BadFile, WatchedFile
from tests.edge.parts import NO_NETWORKS, a_responder, a_token, clicks_of, get
from tests.support.edge import KEYRING

PROXIES = NetworkTable([(ip_network("10.0.0.0/8"), True)])
FILE = """
# Exchange Online Protection
40.92.0.0/15         mail_security
40.93.7.0/24         hosting       # a part of it
2a01:111:f400::/48   mail_security
192.0.2.77           proxy
0.0.0.0/0            isp
"""


def naive(networks: list[tuple[Network, int]], address: IPv4Address | IPv6Address) -> int | None:
    found = [(network.prefixlen, value) for network, value in networks if address in network]
    return max(found, default=(0, None))[1]


def few_bits(width: int) -> st.SearchStrategy[int]:
    """Addresses that differ in their first and last bits only, so that networks are nested and adjacent."""
    return st.builds(lambda first, last: first << (width - 3) | last, st.integers(0, 7), st.integers(0, 7))


V4 = st.builds(lambda at, bits: IPv4Network((at, bits), strict=False), few_bits(32), st.integers(0, 32))
V6 = st.builds(lambda at, bits: IPv6Network((at, bits), strict=False), few_bits(128), st.integers(0, 128))
ADDRESSES = st.one_of(few_bits(32).map(IPv4Address), few_bits(128).map(IPv6Address))


@given(st.lists(st.one_of(V4, V6), unique=True, max_size=12), st.lists(ADDRESSES, max_size=20))
def test_longest_prefix_wins(networks: list[Network], addresses: list[IPv4Address | IPv6Address]) -> None:
    numbered = [(network, number) for number, network in enumerate(networks)]
    table = NetworkTable(numbered)
    for address in addresses:
        assert table.find(address.packed) == naive(numbered, address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_kept_network_is_that_of_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    whole = mapped or address
    kept = ip_network((whole, 24 if whole.version == 4 else 48), strict=False)
    assert client_of(str(address), None, PROXIES, NO_NETWORKS).network == str(kept)


@pytest.mark.parametrize(
    ("peer", "forwarded", "network_class"),
    [
        ("40.93.1.1", None, "mail_security"),
        ("40.93.7.1", None, "hosting"),
        ("::ffff:40.93.7.1", None, "hosting"),
        ("192.0.2.77", None, "proxy"),
        ("192.0.2.78", None, "isp"),
        ("2a01:111:f400::1", None, "mail_security"),
        ("2001:db8::1", None, None),
        ("10.1.1.1", b"40.93.7.1", "hosting"),
        ("192.0.2.78", b"40.93.7.1", "isp"),
        ("unknown", None, None),
    ],
)
def test_class_is_that_of_the_whole_address(peer: str, forwarded: bytes | None, network_class: str | None) -> None:
    client = client_of(peer, forwarded, PROXIES, parse_networks(FILE, "networks.txt"))
    assert client.network_class == network_class


def test_click_has_the_class_and_no_address() -> None:
    responder = a_responder(networks=parse_networks("192.0.2.77/32 mail_security", "networks.txt"))
    request = get(f"/l/{a_token()}")
    (click,) = clicks_of(responder(request))
    assert (click["network"], click["network_class"]) == ("192.0.2.0/24", "mail_security")
    (other,) = clicks_of(responder(request._replace(peer="192.0.2.78")))
    assert (other["network"], other["network_class"]) == ("192.0.2.0/24", None)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("40.92.0.0/15", "line 2: write a network and a class"),
        ("40.92.0.0/15 hosting isp", "line 2: write a network and a class"),
        ("40.92.0.1/15 hosting", "line 2: 40.92.0.1/15 has host bits set"),
        ("40.92.0.0/33 hosting", "line 2: '40.92.0.0/33' does not appear"),
        ("40.92.0.0/15 Hosting", "line 2: 'Hosting' is no class; the classes are isp, hosting, mail_security, proxy"),
        ("\n40.92.0.0/15 isp\n40.92.0.0/15 proxy", "line 4: 40.92.0.0/15 has another class in line 3"),
        ("\n".join(["x"] * 9), "4 more lines are wrong"),
    ],
)
def test_mistakes_are_told_with_their_lines(wrong: str, told: str) -> None:
    with pytest.raises(BadFile) as raised:
        parse_networks(f"192.0.2.0/24 isp\n{wrong}\n", "networks.txt")
    assert told in str(raised.value)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        parse_networks(text, "networks.txt")
    except BadFile:
        return


def test_file_that_became_unusable_leaves_the_classes(tmp_path: Path) -> None:
    path = tmp_path / "networks.txt"
    path.write_text(FILE)
    file = WatchedFile(path, load_networks)
    path.write_text("192.0.2.0/24 hosting\n192.0.2.0/24\n")
    assert "line 2" in (file.refresh() or "")
    assert file.refresh() is None
    path.unlink()
    assert "cannot be read" in (file.refresh() or "")
    assert file.current.find(ip_address("40.93.7.1").packed) is NetworkClass.HOSTING
    path.write_text("192.0.2.0/24 hosting\n")
    assert file.refresh() is None
    assert file.current.find(ip_address("192.0.2.1").packed) is NetworkClass.HOSTING


def test_edge_starts_without_classes_if_the_file_is_bad(tmp_path: Path) -> None:
    """People are answered all the same: the class is of no use to them."""
    keyring, networks = tmp_path / "keyring.yaml", tmp_path / "networks.txt"
    keyring.touch(mode=0o600)
    keyring.write_text(KEYRING)
    with capture_logs() as lines:
        files = OperatorFiles(keyring, networks)
    assert [line["event"] for line in lines] == ["networks.refused"]
    assert len(files.networks) == 0
    networks.write_text(FILE)
    files.refresh()
    assert len(files.networks) == 5
    assert client_of("40.93.7.1", None, PROXIES, files.networks) == Client("40.93.7.0/24", "hosting")
