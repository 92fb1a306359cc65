"""The records of all topics, read by the independent reader after the run."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from consumer.verify.reader import Seen, read_topic
from runtime.config.settings import Settings
from schemas.topics import TopicNames

READERS = 3
_CRITICAL = 2
"""Log level of the library: errors that matter are raised as exceptions."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every record of each topic, by partition and offset; `prefix` precedes the names of the topics."""

    prefix: str
    definitions: Sequence[Seen]
    clicks: Sequence[Seen]
    updates: Sequence[Seen]
    dead_letters: Sequence[Seen]
    hits: Sequence[Seen]
    never_committed: int = 0
    """Updates in the topics from an aborted transaction, which no subscriber sees."""


def collect_evidence(settings: Settings, names: TopicNames) -> Evidence:
    """Read the topics as a subscriber does (read_committed). Raises NotReadable."""
    properties = settings.kafka.properties_for("admin")
    read = partial(read_topic, settings.bootstrap_servers, config={**properties, "log_level": _CRITICAL})
    read_all = partial(read, isolation="read_uncommitted")
    topics = list(names.updates.values())
    with ThreadPoolExecutor(READERS) as readers:
        single = [
            readers.submit(read, topic) for topic in (names.definitions, names.clicks, names.dead_letters, names.hits)
        ]
        committed = [record for records in readers.map(read, topics) for record in records]
        written = sum(len(records) for records in readers.map(read_all, topics))
        definitions, clicks, dead_letters, hits = (future.result() for future in single)
    return Evidence(
        prefix=names.prefix,
        definitions=definitions,
        clicks=clicks,
        updates=committed,
        dead_letters=dead_letters,
        hits=hits,
        never_committed=written - len(committed),
    )
