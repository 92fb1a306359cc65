"""Identities that others can recompute: record keys, partitions, update ids, and the digests in dedupe keys."""

from hashlib import blake2b, sha1
from uuid import UUID

from confluent_kafka import murmur2 as murmur2  # noqa: PLC0414 - all that the core needs of the library

UPDATE_NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
"""NAMESPACE of every update id; published in docs/architecture.md and never changed."""

SEPARATOR = b"\x1f"
"""U+001F separates the parts of an update id's name; no id that is one of them may hold it."""

FLOW = b"flow"
CLICK = b"click"
"""Prefixes of the scopes of flow runs and clicks, so that neither is mistaken for a mailing."""

RECIPIENT_DIGEST_BYTES = 12
KEY_HASH_BYTES = 4
LINK_DIGEST_BYTES = 8
SCOPE_DIGEST_BYTES = 8
HITS_DIGEST_BYTES = 16

VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The variant digit after RFC 9562, by its value before."""

UPDATE_ID_LENGTH = b"\x48"
"""36 as Avro writes the length of a text."""


def record_key(tenant_id: bytes, recipient_id: bytes) -> bytes:
    """Return the key of clicks, updates and dead letters: UTF-8 `tenant_id/recipient_id`."""
    return tenant_id + b"/" + recipient_id


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition the Java client's default partitioner chooses: positive murmur2 modulo the count."""
    return int(murmur2(key, partitions))


def update_id_prefix(tenant_id: str, link_id: str, epoch: int, action_id: str) -> bytes:
    """Return what `update_id` hashes before recipient and scope: the same for a whole link version and action."""
    name = "\x1f".join((tenant_id, link_id, str(epoch), action_id, ""))
    return UPDATE_NAMESPACE.bytes + name.encode()


def update_id(prefix: bytes, recipient_id: bytes, scope: bytes) -> str:
    """Return the UUIDv5 (RFC 9562, section 5.5) of tenant, link, epoch, action, recipient and scope.

    The scope is empty for `once`, the mailing or else `flow_scope` for `once_per_mailing`, the click id for
    `cooldown` and `always`.
    """
    digest = sha1(prefix + recipient_id + SEPARATOR + scope, usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"


def effect_update_id(script_update_id: str, effect_id: str) -> str:
    """Return the UUIDv5 of the update id of a script's run, U+001F and the effect's id."""
    return update_id(UPDATE_NAMESPACE.bytes, script_update_id.encode(), effect_id.encode())


MAX_KEY_HASH = 2**31 - 1
"""The largest positive murmur2; modulo it, that one alone and 0 are taken for each other."""


def key_hash(key: bytes) -> int:
    """Return the positive murmur2 of the key: modulo any partition count it is the partition."""
    return int(murmur2(key, MAX_KEY_HASH)) or MAX_KEY_HASH * int(murmur2(key, 2))


def recipient_digest(key: bytes) -> bytes:
    """Return the start of all dedupe keys of one recipient, from the record key: a digest, and the hash of the key.

    The hash gives the partition if the partition count changes, which a digest cannot. The digest has 96 bits: at 10^9
    recipients any two share it with probability 6e-12, and finding an id with the digest of another one takes 2^96
    tries, so no secret key is needed.
    """
    return blake2b(key, digest_size=RECIPIENT_DIGEST_BYTES).digest() + key_hash(key).to_bytes(KEY_HASH_BYTES, "big")


def link_digest(tenant_id: str, link_id: str, epoch: int) -> bytes:
    """Return what follows the recipient's digest: one link in one epoch."""
    name = "\x1f".join((tenant_id, link_id, str(epoch)))
    return blake2b(name.encode(), digest_size=LINK_DIGEST_BYTES).digest()


def flow_scope(flow_id: bytes, flow_run_id: bytes) -> bytes:
    """Return the scope of a flow run; it has two separators, and a mailing none."""
    return SEPARATOR.join((FLOW, flow_id, flow_run_id))


def scope_digest(scope: bytes) -> bytes:
    """Return the last part of a dedupe key that applies to one mailing or flow run only."""
    return blake2b(scope, digest_size=SCOPE_DIGEST_BYTES).digest()


def click_digest(click_id: bytes) -> bytes:
    """Return the last part of a dedupe key that applies to one click only."""
    return scope_digest(CLICK + SEPARATOR + click_id)


def hits_digest(tenant_id: str, link_id: str) -> bytes:
    """Return the key under which a partition keeps its hits of a link."""
    return blake2b(f"{tenant_id}\x1f{link_id}".encode(), digest_size=HITS_DIGEST_BYTES).digest()
