"""The settings of an edge: those that all programs share, and its own, which begin with `LINK_ACTIONS_EDGE_`."""

import re
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from edge.network_table import Network
from runtime.config.settings import Settings
from runtime.config.values import listen_address, registry_url

_SIZE = re.compile(r"(\d{1,9})\s*(KiB|MiB|GiB|TiB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
MIN_SPOOL_BYTES = 128 << 20
"""Two segments: one that is published while the other one is written."""


class Sync(StrEnum):
    """What answered clicks survive."""

    KILL = "kill"
    """The end of the process, however it comes; the disk is synced every 100 ms."""
    POWER = "power"
    """A power cut too: each answer waits for the disk, together with others."""


def byte_size(text: object) -> object:
    """Read a size such as `10 GiB`. Raises ValueError."""
    if not isinstance(text, str):
        return text
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no size; write a number and KiB, MiB, GiB or TiB")
    return int(match[1]) * _UNITS[match[2]]


def networks(text: object) -> object:
    """Read addresses and networks, separated by commas. Raises ValueError."""
    if not isinstance(text, str):
        return text
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


class EdgeSettings(Settings):
    """The settings of `link-actions edge`."""

    edge_host: Annotated[str | None, BeforeValidator(listen_address)] = Field(
        default=None,
        description="the address that browsers or the proxy before the edge reach, IPv4 or IPv6",
        examples=["127.0.0.1"],
        json_schema_extra={"default": "all addresses"},
    )
    edge_port: int = Field(
        default=8080, ge=0, le=65535, description="the port for browsers; 0 takes any free port", examples=["8080"]
    )
    edge_keyring: Path = Field(
        description="the file with the keys of link tokens, which only its owner may read",
        examples=["/etc/link-actions/keyring.yaml"],
    )
    edge_spool_dir: Path = Field(
        default=Path(".link-actions/spool"),
        description="the folder that keeps answered clicks until the broker has them; give it a volume",
        examples=["/var/lib/link-actions/spool"],
    )
    edge_spool_limit: Annotated[int, BeforeValidator(byte_size)] = Field(
        default=10 << 30,
        ge=MIN_SPOOL_BYTES,
        description="the most that the spool takes on disk, at least 128 MiB",
        examples=["10 GiB"],
        json_schema_extra={"default": "10 GiB"},
    )
    edge_sync: Sync = Field(
        default=Sync.KILL,
        description="what answered clicks survive: kill (the end of the process) or power (a power cut too, which makes"
        " each answer wait for the disk)",
        examples=["power"],
    )
    edge_networks: Path | None = Field(
        default=None,
        description="a file with a network and its class (isp, hosting, mail_security or proxy) in each line, for"
        " network_class of clicks; read again when it changes",
        examples=["/etc/link-actions/networks.txt"],
        json_schema_extra={"default": "none"},
    )
    edge_persons_url: Annotated[str | None, BeforeValidator(registry_url)] = Field(
        default=None,
        repr=False,
        description="the address of the service that knows facts about persons, which forms are prefilled with",
        examples=["https://crm.example/facts"],
    )
    edge_trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(networks)] = Field(
        default=(),
        description="the addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed,"
        " separated by commas",
        examples=["10.0.0.0/8,::1"],
        json_schema_extra={"default": "none"},
    )
