import pytest

from consumer.links.link_reference import LinkReference, parse_reference
from runtime.errors import UsageError


def test_link_id_may_contain_slashes() -> None:
    assert parse_reference("acme/a/b") == LinkReference("acme", "a/b")


@pytest.mark.parametrize("text", ["", "acme", "acme/", "/spring"])
def test_invalid_link_reference_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a link; write tenant/link_id, for example acme/spring-offer"):
        parse_reference(text)
