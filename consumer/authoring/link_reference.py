"""How a link is named across tenants, and how its versions are keyed on their topic."""

from dataclasses import dataclass

from consumer.errors import UsageError

_VERSION_DIGITS = 19
"""As many as a number of 64 bits has."""


@dataclass(frozen=True, slots=True, order=True)
class LinkReference:
    """Tenant and link, written `tenant/link_id`; a tenant id has no slash, a link id may have some."""

    tenant_id: str
    link_id: str

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.link_id}"


def parse_reference(text: str) -> LinkReference:
    """Read `tenant/link_id`. Raises UsageError."""
    tenant_id, slash, link_id = text.partition("/")
    if not (tenant_id and slash and link_id):
        raise UsageError(f"{text!r} names no link; write tenant/link_id, for example acme/spring-offer")
    return LinkReference(tenant_id, link_id)


def definition_key(reference: LinkReference, version: int) -> bytes:
    """Return the record key of one version: UTF-8 `tenant_id/link_id/version`."""
    return f"{reference}/{version}".encode()


def parse_definition_key(key: bytes | None) -> tuple[LinkReference, int] | None:
    """Read a record key; None for one that nobody here would have written."""
    try:
        name, _, version = (key or b"").decode().rpartition("/")
    except UnicodeDecodeError:
        return None
    tenant_id, _, link_id = name.partition("/")
    if not (tenant_id and link_id and version.isascii() and version.isdigit() and len(version) <= _VERSION_DIGITS):
        return None
    return LinkReference(tenant_id, link_id), int(version)
