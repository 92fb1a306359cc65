"""Keys of the records on the topic of definitions, and which of a link's versions is the newest.

Every reader of the topic takes both from here, so that no two programs disagree about the version in force.
"""

from collections.abc import Iterable

from schemas.codec import encode_text

MAX_VERSION = 2**63 - 1
"""The largest long of Avro, and so the largest version that a click can name."""

_VERSION_DIGITS = len(str(MAX_VERSION))

DefinitionName = tuple[str, str, int]
"""Tenant, link and version."""


def definition_key(tenant_id: str, link_id: str, version: int) -> bytes:
    """Return the record key of one version: UTF-8 `tenant_id/link_id/version`."""
    return f"{tenant_id}/{link_id}/{version}".encode()


def parse_definition_key(key: bytes | None) -> DefinitionName | None:
    """Split a record key; None for one that no author writes.

    A link id may hold slashes, the other two do not. A version has one way to be written, else two keys would name
    the same version and compaction would keep both.
    """
    try:
        name, _, version = (key or b"").decode().rpartition("/")
    except UnicodeDecodeError:
        return None
    tenant_id, _, link_id = name.partition("/")
    if not (tenant_id and link_id and version.isascii() and version.isdigit() and len(version) <= _VERSION_DIGITS):
        return None
    if version.startswith("0") or int(version) > MAX_VERSION:
        return None
    return tenant_id, link_id, int(version)


def encode_link(tenant_id: str, link_id: str) -> bytes:
    """Return tenant and link as every click on the link has them, encoded one after the other."""
    return encode_text(tenant_id.encode()) + encode_text(link_id.encode())


def newest_version(descending: Iterable[tuple[int, bytes | None]]) -> tuple[int, bytes] | None:
    """Return number and value of the newest version, of one link's versions from the highest down.

    A version whose record has no value never existed. One that cannot be read is the newest all the same: falling back
    to the version before it would act on what its author replaced.
    """
    return next(((version, value) for version, value in descending if value is not None), None)
