"""The published versions of scripts, followed on their topic and decoded when an update asks for one."""

from collections.abc import Callable, Collection

from runtime.definitions.follower import DefinitionFollower, LinkVersion
from runtime.ports import LogReader
from runtime.state.in_memory import MemoryState
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.definition_key import encode_link
from scripts.definitions.script import Script, script_from_record

MAX_READY = 1_000
"""Decoded versions kept, up to 64 KiB each; all versions are kept as bytes."""


class UnknownScript(Exception):
    """No such version is published, as far as was read."""


class UnreadableScript(Exception):
    """The version is published, but its definition cannot be read."""


class PublishedScripts:
    """Finds versions. Reads the topic to its end before the first search; all of it is kept in memory."""

    def __init__(self, reader: LogReader, codec: Codec) -> None:
        """`codec` is that of `ScriptDefined`. Raises RetriableError."""
        self._codec = codec
        self._ready: dict[tuple[bytes, int], Script] = {}
        self._follower = DefinitionFollower(reader, MemoryState(), self._forget)

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything published before this call, unless it is time to give up. Raises RetriableError."""
        self._follower.catch_up(give_up)

    def follow(self, timeout_seconds: float = 0.0) -> None:
        """Read what was published since the last call. Raises RetriableError."""
        self._follower.follow(timeout_seconds)

    def find(self, tenant_id: str, script_id: str, version: int | None) -> Script:
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

    def _decoded(self, value: bytes) -> Script:
        try:
            return script_from_record(self._codec.decode(value))
        except BadRecord as error:
            raise UnreadableScript(str(error)) from error

    def _forget(self, versions: Collection[LinkVersion]) -> None:
        for each in versions:
            self._ready.pop(each, None)
