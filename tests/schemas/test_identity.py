from uuid import uuid5

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.verify.murmur import murmur2
from schemas.identity import (
    UPDATE_NAMESPACE,
    click_digest,
    flow_scope,
    hits_digest,
    key_hash,
    link_digest,
    partition_of,
    recipient_digest,
    record_key,
    scope_digest,
    update_id,
    update_id_prefix,
)

texts = st.text(max_size=40)

# Of Kafka's own UtilsTest.testMurmur2, where the hash is a signed number.
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@given(st.tuples(texts, texts, texts, texts, texts), st.integers(0, 2**62))
@example(("acme", "spring", "call", "Zoë", "m-1"), 0)
def test_an_update_id_is_the_uuid5_of_its_parts(parts: tuple[str, str, str, str, str], epoch: int) -> None:
    tenant, link, action, recipient, scope = parts

    prefix = update_id_prefix(tenant, link, epoch, action)
    name = "\x1f".join((tenant, link, str(epoch), action, recipient, scope))

    assert update_id(prefix, recipient.encode(), scope.encode()) == str(uuid5(UPDATE_NAMESPACE, name))


def test_update_ids_are_what_they_always_were() -> None:
    prefix = update_id_prefix("acme", "spring-offer", 0, "interested")

    assert update_id(prefix, b"r-1", b"") == "752d544d-13d0-5468-9163-ee6e53ad61a2"
    assert update_id(prefix, b"r-1", b"42") == "95e1d876-a39c-5f06-a435-673adf82de18"
    assert update_id(prefix, b"r-1", flow_scope(b"7", b"42")) == "59a54cd1-d073-5881-b3d9-20f67b8421c1"
    assert update_id(prefix, b"r-1", flow_scope(b"", b"42")) == "b4631fbd-d197-546e-ba57-94798ee6d89b"


ids_without_separator = st.text(st.characters(exclude_characters="\x1f", codec="utf-8"), max_size=5).map(str.encode)


@given(ids_without_separator, *[st.tuples(ids_without_separator, ids_without_separator)] * 2)
@example(b"42", (b"7", b"42"), (b"", b"42"))
@example(b"flow", (b"", b""), (b"flow", b""))
def test_scopes_of_mailings_and_of_flow_runs_are_never_the_same(
    mailing: bytes, run: tuple[bytes, bytes], other: tuple[bytes, bytes]
) -> None:
    assert flow_scope(*run) != mailing
    assert (flow_scope(*run) == flow_scope(*other)) == (run == other)
    assert click_digest(mailing) not in {scope_digest(mailing), scope_digest(flow_scope(*run))}


@pytest.mark.parametrize(("key", "signed"), JAVA_VECTORS.items())
@pytest.mark.parametrize("partitions", [1, 3, 12, 1000])
def test_a_partition_is_the_one_that_the_java_client_chooses(key: bytes, signed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (signed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=40), st.integers(1, 10_000))
@example(bytes.fromhex("00"), 12)
def test_a_place_is_the_partition_whatever_their_count(key: bytes, partitions: int) -> None:
    assert key_hash(key) == murmur2(key) & 0x7FFFFFFF
    assert key_hash(key) % partitions == partition_of(key, partitions)


def test_a_record_key_is_readable() -> None:
    assert record_key(b"acme", "Zoë".encode()) == "acme/Zoë".encode()


def test_digests_are_what_they_always_were() -> None:
    assert recipient_digest(b"acme/r-1").hex() == "485444419eba22722e46b5a9" + f"{key_hash(b'acme/r-1'):08x}"
    assert link_digest("acme", "spring", 0).hex() == "a64f6cc29c6ebd21"
    assert scope_digest(b"m-1").hex() == "d27ad701a6859b35"
    assert click_digest(b"c-1").hex() == "0a4660896f8b402a"
    assert hits_digest("acme", "spring").hex() == "b7a72735c79c12567a3d9c61445fed47"


def test_digests_tell_parts_apart_that_run_together() -> None:
    assert link_digest("ab", "c", 0) != link_digest("a", "bc", 0)
    assert link_digest("a", "b1", 0) != link_digest("a", "b", 10)
    assert hits_digest("ab", "c") != hits_digest("a", "bc")
    assert hits_digest("a", "b") != link_digest("a", "b", 0) + bytes(8)


# Keys made by inverting murmur2's last block: its two extremes, which a modulo by MAX_KEY_HASH takes for each other.
SMALLEST_AND_LARGEST = {b"acme/r-01261o9dk": 0, b"acme/r-00559gv8x": 2**31 - 1}


@pytest.mark.parametrize(("key", "place"), SMALLEST_AND_LARGEST.items())
@pytest.mark.parametrize("partitions", [1, 2, 3, 12, 1000])
def test_the_smallest_and_the_largest_hash_have_the_place_that_kafka_gives_them(
    key: bytes, place: int, partitions: int
) -> None:
    assert murmur2(key) & 0x7FFFFFFF == key_hash(key) == place
    assert place % partitions == partition_of(key, partitions)
    assert recipient_digest(key)[-4:] == place.to_bytes(4, "big")
