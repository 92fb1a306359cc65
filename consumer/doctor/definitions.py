"""Checks that the link definitions can be read, and lists those that were withdrawn."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice

from actions.kind import Kind
from actions.registry import load_kinds
from consumer.doctor.finding import Finding, fine, warning
from consumer.links.published import (
    PublishedVersions,
    UnreadableVersion,
    WithdrawnVersion,
    newest_of,
    read_version,
    withdrawn_of,
)
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_reader import open_reader
from runtime.registry.codecs import reading_codec
from runtime.registry.registry import connect_registry
from runtime.terminal.text import counted
from schemas.codec import Codec
from schemas.record_schema import load_schemas

MAX_READ = 10_000
"""Links whose newest version is decoded: about a second's work."""
MAX_NAMED = 5


def read_definitions(settings: Settings, topic: str) -> Iterator[Finding]:
    """Read the topic to its end and report unreadable and withdrawn versions. Raises Unavailable."""
    schemas = load_schemas()
    published = PublishedVersions()
    with closing(open_reader(settings.kafka)) as reader:
        published.add((record.key(), record.value()) for record in reader.read(reader.spans({topic: 1})))
    registry = connect_registry(settings.schema_registry_url) if settings.schema_registry_url else None
    codec = reading_codec(topic, schemas["LinkDefined"], registry)
    yield from check_definitions(published, codec=codec, kinds=load_kinds(schemas))


def check_definitions(published: PublishedVersions, *, codec: Codec, kinds: Mapping[str, Kind]) -> Iterator[Finding]:
    """Report the newest versions that cannot be read, and the versions that were withdrawn."""
    links = published.links
    newest = [(reference, *found) for reference, versions in links.items() if (found := newest_of(versions))]
    read = (read_version(*each, codec=codec, kinds=kinds) for each in islice(newest, MAX_READ))
    unreadable = [version for version in read if isinstance(version, UnreadableVersion)]
    withdrawn = [version for reference in links for version in withdrawn_of(reference, links[reference])]
    for newer in (True, False):
        affected = [version for version in unreadable if version.newer is newer]
        if affected:
            seen = f"newest version cannot be read, so clicks without a version become dead letters: {_named(affected)}"
            yield warning("definitions", seen, affected[0].remedy)
    if withdrawn:
        seen = f"withdrawn by a record without a value, so the previous version is in force: {_named(withdrawn)}"
        yield warning("definitions", seen, "if that was not intended, publish the link again")
    if not (unreadable or withdrawn):
        looked = f", the first {MAX_READ} of which were read" if len(newest) > MAX_READ else ""
        yield fine("definitions", f"{counted(len(newest), 'link')}{looked}")


def _named(versions: Iterable[UnreadableVersion | WithdrawnVersion]) -> str:
    shown = [f"{version.reference} version {version.version}" for version in versions]
    more = f" and {len(shown) - MAX_NAMED} more" if len(shown) > MAX_NAMED else ""
    return ", ".join(shown[:MAX_NAMED]) + more
