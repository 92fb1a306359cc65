"""An edge reads and writes Confluent's frame though the registry is away when it starts again."""

from pathlib import Path

import pytest

from bench.registry_double import running_registry
from edge.remembered_registry import RememberedRegistry
from runtime.errors import Unavailable
from runtime.registry.registry import Json, connect_registry

RECORD: Json = {"type": "record", "name": "Thing", "fields": [{"name": "size", "type": "long"}]}
OTHER: Json = {"type": "record", "name": "Thing", "fields": [{"name": "length", "type": "long"}]}


def test_answers_outlive_the_registry(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "registry.json"
    with running_registry() as double:
        asked = RememberedRegistry(connect_registry(double.url), file)
        identifier, definitions = asked.id_of("a-value", RECORD), asked.definitions_of("a-value")
        asked.close()
    assert definitions == {identifier: RECORD}

    later = RememberedRegistry(connect_registry(double.url), file)
    assert later.id_of("a-value", RECORD) == identifier
    assert later.definitions_of("a-value") == definitions
    with pytest.raises(Unavailable):
        later.id_of("a-value", OTHER)
    with pytest.raises(Unavailable):
        later.definitions_of("b-value")
    later.close()
