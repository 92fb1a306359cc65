"""Publishes and reads scripts."""

from collections.abc import Callable, Sequence
from contextlib import closing

from runtime.authoring.publishing import DefinitionTopic, publish
from runtime.clock import Clock
from runtime.errors import UsageError
from schemas.codec import Codec
from scripts.definitions.publication import NextScript, ScriptPublication
from scripts.definitions.published import PublishedScripts, UnreadableScript
from scripts.definitions.script import Script, ScriptReference


class ScriptPublisher:
    """Runs operations on the published scripts, each on its own connection.

    They raise UsageError for mistakes of the caller, Unavailable if Kafka does not answer.
    """

    def __init__(
        self,
        open_topic: Callable[[], DefinitionTopic],
        *,
        codec: Codec,
        clock: Clock,
        open_writing_codec: Callable[[], Codec] | None = None,
    ) -> None:
        """`codec` reads. To publish, `open_writing_codec` opens a codec that reads and writes; default: `codec`."""
        self._open_topic = open_topic
        self._codec = codec
        self._clock = clock
        self._open_writing_codec = open_writing_codec or (lambda: codec)

    def publish(self, desired: Sequence[Script]) -> list[NextScript]:
        """Publish the scripts that differ from the published ones; return all, each with its change.

        Their version numbers do not matter.
        """
        codec = self._open_writing_codec()
        with closing(self._open_topic()) as topic:
            return publish(topic, ScriptPublication(desired, codec), clock=self._clock, what="scripts")

    def read(self) -> PublishedScripts:
        """Return all published scripts."""
        published = PublishedScripts(self._codec)
        with closing(self._open_topic()) as topic:
            published.add(topic.read_new())
        return published

    def version(self, reference: ScriptReference, version: int | None = None) -> Script:
        """Return one version, by default the newest. Raises UsageError if it is missing or cannot be read."""
        published = self.read()
        numbers = published.numbers(reference)
        if not numbers:
            raise UsageError(f"{reference}: no such script is published; run link-actions scripts list")
        found = published.version(reference, numbers[-1] if version is None else version)
        if found is None:
            raise UsageError(f"{reference} has no version {version}; its newest is {numbers[-1]}")
        if isinstance(found, UnreadableScript):
            raise UsageError(str(found))
        return found
