"""Keys of definitions, and which version is the newest."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.definition_key import definition_key, newest_version, parse_definition_key

TENANTS = st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=8)
LINKS = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


@settings(deadline=None)
@given(TENANTS, LINKS, st.integers(min_value=1, max_value=2**63 - 1))
def test_a_key_names_the_link_and_version_it_was_made_of(tenant_id: str, link_id: str, version: int) -> None:
    assert parse_definition_key(definition_key(tenant_id, link_id, version)) == (tenant_id, link_id, version)


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
        b"a/b/0",
        b"a/b/01",
        b"a/b/9223372036854775808",
    ],
)
def test_what_no_author_writes_names_no_link(key: bytes | None) -> None:
    assert parse_definition_key(key) is None


@pytest.mark.parametrize(
    ("descending", "newest"),
    [
        ([], None),
        ([(2, None), (1, None)], None),
        ([(9, None), (8, b"v8"), (1, b"v1")], (8, b"v8")),
        ([(9, b""), (8, b"v8")], (9, b"")),
    ],
)
def test_the_newest_version_is_the_highest_that_has_a_value(
    descending: list[tuple[int, bytes | None]], newest: tuple[int, bytes] | None
) -> None:
    assert newest_version(descending) == newest


def test_no_version_below_the_newest_is_looked_at() -> None:
    def versions() -> Iterator[tuple[int, bytes | None]]:
        yield 2, b"v2"
        raise AssertionError("looked further")

    assert newest_version(versions()) == (2, b"v2")
