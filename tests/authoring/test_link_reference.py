import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.authoring.link_reference import LinkReference, definition_key, parse_definition_key, parse_reference
from consumer.errors import UsageError

TENANTS = st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=8)
LINKS = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


@settings(deadline=None)
@given(TENANTS, LINKS, st.integers(min_value=1, max_value=2**63 - 1))
def test_a_key_names_the_link_and_version_it_was_made_of(tenant_id: str, link_id: str, version: int) -> None:
    reference = LinkReference(tenant_id, link_id)

    assert parse_definition_key(definition_key(reference, version)) == (reference, version)


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b"a",
        b"a/b",
        b"a/b/",
        b"a/b/x",
        b"/b/1",
        b"a//1",
        b"\xff/b/1",
        "a/b/²".encode(),
        b"a/b/" + b"9" * 5000,
    ],
)
def test_what_nobody_here_would_have_written_names_no_link(key: bytes | None) -> None:
    assert parse_definition_key(key) is None


def test_a_link_id_may_hold_slashes() -> None:
    assert parse_reference("acme/a/b") == LinkReference("acme", "a/b")


@pytest.mark.parametrize("text", ["", "acme", "acme/", "/spring"])
def test_what_names_no_link_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="names no link; write tenant/link_id, for example acme/spring-offer"):
        parse_reference(text)
