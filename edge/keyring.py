"""The keys of all tenants' links, in a YAML file of its owner alone, read again when it changes.

    masters:
      main: <base64 of at least 32 random bytes>
    keys:
      - {key_id: 975912013, tenant: acme, state: signing, created: 2026-12-01, master: main}
      - {key_id: 975912014, tenant: globex, state: valid, created: 2026-12-01, secret: <base64 of 64 bytes>}
    tenants:
      acme: {hosts: [klik.acme.example], language: nl}

Links of a tenant with `hosts` are answered on these hosts only. `language` is that of pages for people whose browser
asks for none of the edge's languages.

A key is derived from a master or given as a secret. A sender gets only the keys of its tenant, so it cannot forge the
links of another. A key whose links have been sent is never removed: it becomes `valid`, or `answer_only` if it leaked.
"""

import base64
import binascii
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.watched_file import BadFile, WatchedFile
from schemas.link_token import KEY_BYTES, LinkKey, derive_key

MASTER_BYTES = 32


class KeyState(StrEnum):
    """The use of a key."""

    SIGNING = "signing"
    """New links are signed with it; one per tenant. Its links are answered and their clicks act."""
    VALID = "valid"
    """Its links are answered and their clicks act."""
    ANSWER_ONLY = "answer_only"
    """Its links still redirect, and their clicks are not recorded: it has leaked."""
    REVOKED = "revoked"
    """Its links are not valid any more."""


class BadKeyring(BadFile):
    """The file cannot be used; the message says what is wrong with it and never holds a secret."""


class Tenant(BaseModel):
    """A tenant's tracking hosts, and the language of its pages for those who accept none of the edge's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = Field(default=(), strict=False)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys by their id, and the tenants that are told more about."""

    keys: Mapping[int, LinkKey]
    states: Mapping[int, KeyState]
    tenants: Mapping[str, Tenant] = field(default_factory=dict)

    def serves(self, tenant_id: str, host: bytes) -> bool:
        """Return whether a tenant's links may be answered on this host, which may have a port."""
        tenant = self.tenants.get(tenant_id)
        return tenant is None or not tenant.hosts or _without_port(host) in tenant.hosts

    def language_of(self, tenant_id: str) -> str | None:
        """Return the language of a tenant's pages; None if it has set none."""
        tenant = self.tenants.get(tenant_id)
        return tenant.language if tenant else None

    def signing_key(self, tenant_id: str) -> LinkKey:
        """Return the key that signs a tenant's links. Raises BadKeyring if there is none."""
        for key_id, state in self.states.items():
            if state is KeyState.SIGNING and self.keys[key_id].tenant_id == tenant_id:
                return self.keys[key_id]
        raise BadKeyring(f"no key of the keyring signs for tenant {tenant_id}; add one with state: signing")


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key_id: Annotated[int, Field(ge=1, lt=2**32)]
    tenant: Annotated[str, Field(min_length=1)]
    state: Annotated[KeyState, Field(strict=False)]
    created: date
    master: str | None = None
    secret: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    masters: dict[str, str] = {}
    keys: list[_Key]
    tenants: dict[str, Tenant] = {}


def load_keyring(path: Path) -> Keyring:
    """Read the file. Raises BadKeyring."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyring(f"{path} cannot be read ({type(error).__name__})") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadKeyring(f"{path} can be read by others; run chmod 600 {path}")
    return parse_keyring(text, str(path))


def parse_keyring(text: str, name: str) -> Keyring:
    """Return the keyring in a text; `name` is what messages call it. Raises BadKeyring."""
    try:
        file = _File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadKeyring(f"{name} is no YAML" + (f" (line {mark.line + 1})" if mark else "")) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadKeyring(f"{name}: {where}: {first['msg']}") from None  # its text would hold what was read
    masters = {label: _decode(value, f"{name}: masters.{label}") for label, value in file.masters.items()}
    keys = {each.key_id: _key(each, masters, name) for each in file.keys}
    _require_sound(file.keys, masters, name)
    return Keyring(keys, {each.key_id: each.state for each in file.keys}, file.tenants)


def keyring_file(path: Path) -> WatchedFile[Keyring]:
    """Return the keyring of a running process. Raises BadKeyring."""
    return WatchedFile(path, load_keyring)


@lru_cache(maxsize=1_024)
def _without_port(host: bytes) -> str:
    name, _, port = host.decode("latin-1").lower().rpartition(":")
    return name if port.isdigit() else host.decode("latin-1").lower()


def _key(entry: _Key, masters: Mapping[str, bytes], name: str) -> LinkKey:
    where = f"{name}: key {entry.key_id}"
    if (entry.master is None) == (entry.secret is None):
        raise BadKeyring(f"{where}: give it either a master or a secret")
    if entry.secret:
        secret = _decode(entry.secret, f"{where}: secret")
        if len(secret) != KEY_BYTES:
            raise BadKeyring(f"{where}: its secret has {len(secret)} bytes, and a key has {KEY_BYTES}")
        return LinkKey(entry.key_id, entry.tenant, secret)
    master = masters.get(entry.master or "")
    if master is None:
        raise BadKeyring(f"{where}: no master is called {entry.master}")
    return derive_key(master, entry.key_id, entry.tenant)


def _require_sound(entries: list[_Key], masters: Mapping[str, bytes], name: str) -> None:
    for label, master in masters.items():
        if len(master) < MASTER_BYTES:
            raise BadKeyring(f"{name}: masters.{label} has {len(master)} bytes; give it at least {MASTER_BYTES}")
    _require_distinct([each.key_id for each in entries], f"{name}: two keys have the id")
    signing = [each.tenant for each in entries if each.state is KeyState.SIGNING]
    _require_distinct(signing, f"{name}: two keys sign for tenant")


def _require_distinct(values: list[Any], problem: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise BadKeyring(f"{problem} {value}")


def _decode(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeyring(f"{where} is not base64") from error
