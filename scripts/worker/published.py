"""The published versions of scripts, followed on their topic and decoded when an update asks for one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from runtime.definitions.follower import DefinitionFollower, LinkVersion
from runtime.ports import LogReader
from runtime.state.in_memory import MemoryState
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.definition_key import encode_link

MAX_READY = 1_000
"""Decoded versions kept, up to 64 KiB each; all versions are kept as bytes."""


@dataclass(frozen=True, slots=True)
class PublishedScript:
    """One version of a script; `emits` are the kinds that it may emit, `hosts` those that returnUrl may lead to."""

    tenant_id: str
    script_id: str
    version: int
    source: str
    engine: str
    emits: frozenset[str]
    hosts: frozenset[str]
    fuel: int


class UnknownScript(Exception):
    """No such version is published, as far as was read."""


class UnreadableScript(Exception):
    """The version is published, but its definition cannot be read."""


class PublishedScripts:
    """Finds versions. Reads the topic to its end before the first search; all of it is kept in memory."""

    def __init__(self, reader: LogReader, codec: Codec) -> None:
        """`codec` is that of `ScriptDefined`. Raises RetriableError."""
        self._codec = codec
        self._ready: dict[tuple[bytes, int], PublishedScript] = {}
        self._follower = DefinitionFollower(reader, MemoryState(), self._forget)

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything published before this call, unless it is time to give up. Raises RetriableError."""
        self._follower.catch_up(give_up)

    def follow(self, timeout_seconds: float = 0.0) -> None:
        """Read what was published since the last call. Raises RetriableError."""
        self._follower.follow(timeout_seconds)

    def find(self, tenant_id: str, script_id: str, version: int | None) -> PublishedScript:
        """Return a version, the newest one for None. Raises UnknownScript and UnreadableScript."""
        key = encode_link(tenant_id, script_id)
        if version is not None and (key, version) in self._ready:
            return self._ready[key, version]
        found = self._follower.newest(key) if version is None else (version, self._follower.version(key, version))
        if found is None or found[1] is None:
            raise UnknownScript
        if len(self._ready) >= MAX_READY:
            self._ready.clear()
        script = self._ready[key, found[0]] = self._decoded(found[1])
        return script

    def _decoded(self, value: bytes) -> PublishedScript:
        try:
            record: dict[str, Any] = self._codec.decode(value)
        except BadRecord as error:
            raise UnreadableScript(str(error)) from error
        return PublishedScript(
            record["tenant_id"],
            record["script_id"],
            record["version"],
            record["source"],
            record["engine"],
            frozenset(record["emits"]),
            frozenset(record["hosts"]),
            record["fuel"],
        )

    def _forget(self, versions: Collection[LinkVersion]) -> None:
        for each in versions:
            self._ready.pop(each, None)
