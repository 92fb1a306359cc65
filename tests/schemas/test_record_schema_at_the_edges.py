"""Whatever a registry holds under a subject, it is either a record's schema or refused as none."""

from typing import Any

import pytest

from runtime.registry.codecs import registered_writers
from schemas.record_schema import record_schema
from schemas.safety import UnsafeSchema


class Registry:
    def __init__(self, definition: Any) -> None:
        self._definition = definition

    def id_of(self, subject: str, definition: dict[str, Any]) -> int:
        raise NotImplementedError

    def definitions_of(self, subject: str) -> dict[int, Any]:  # noqa: ARG002
        return {7: self._definition}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "definition",
    [
        "string",
        ["null", "string"],
        None,
        {},
        {"type": "array", "items": "string"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
        {"type": "record", "fields": []},
        {"type": "record", "name": "R"},
        {"type": "record", "name": "R", "fields": [{"name": "a"}]},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "defined.Elsewhere"}]},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "enum", "name": "E"}}]},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "fixed", "name": "F"}}]},
    ],
)
def test_what_is_no_record_whole_in_itself_is_left_out(definition: Any) -> None:
    with pytest.raises(UnsafeSchema):
        record_schema(definition)
    assert list(registered_writers("clicks", Registry(definition))) == []
