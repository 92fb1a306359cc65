"""A schema registry whose answers are kept in a file, so that an edge starts again while the registry is away."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import structlog

from runtime.errors import Unavailable
from runtime.registry.registry import Json, SchemaRegistry

_LOG = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


class RememberedRegistry:
    """Implements `SchemaRegistry`. Raises Unavailable only for what was never answered."""

    def __init__(self, registry: SchemaRegistry, file: Path) -> None:
        self._registry = registry
        self._file = file
        self._answers: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def id_of(self, subject: str, definition: Json) -> int:
        """Return the id of this very schema in the subject."""
        digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
        return int(self._remembered(f"id of {digest} in {subject}", lambda: self._registry.id_of(subject, definition)))

    def definitions_of(self, subject: str) -> Mapping[int, Json]:
        """Return every version of the subject by id."""
        found = self._remembered(f"definitions of {subject}", lambda: _items(self._registry.definitions_of(subject)))
        return {int(identifier): definition for identifier, definition in found}

    def close(self) -> None:
        """Close connections."""
        self._registry.close()

    def _remembered(self, question: str, ask: Callable[[], Answer]) -> Answer:
        try:
            answer = ask()
        except Unavailable as error:
            if question not in self._answers:
                raise
            _LOG.warning("registry.lost", detail=f"{error}; its last answer is used")
            remembered: Answer = self._answers[question]
            return remembered
        if self._answers.get(question) != answer:
            self._answers[question] = answer
            self._write()
        return answer

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(self._answers, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)


def _items(definitions: Mapping[int, Json]) -> list[list[Any]]:
    """Return what JSON makes of it, too."""
    return [[identifier, definition] for identifier, definition in definitions.items()]
