"""The local state of workers that have ended, held against a replay of the changelog."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from consumer.verify.reader import Seen
from runtime.state.rowfile.state import RowFileState
from tests.support.patience import stretched

PAGE = 10_000


@dataclass(frozen=True)
class LocalState:
    """The state that a worker stored for one partition, up to this position of the changelog."""

    worker: str
    partition: int
    position: int
    entries: Mapping[bytes, bytes]


def stored_by(worker: str, folder: Path, changelog: str, partitions: int) -> list[LocalState]:
    """Open the state that an ended worker left; `changelog` identifies the topic as the program does."""
    state = RowFileState(folder)
    try:
        return [
            _read(worker, partition, state, changelog)
            for partition in range(partitions)
            if (folder / f"partition-{partition}").exists()
        ]
    finally:
        state.close()


def identity_of(admin: AdminClient, topic: str) -> str:
    """Return cluster and topic id."""
    topics = admin.describe_topics(TopicCollection([topic]), request_timeout=stretched(30))
    cluster = admin.describe_cluster(request_timeout=stretched(30)).result()
    return f"{cluster.cluster_id}/{topics[topic].result().topic_id}"


def differing(stores: Sequence[LocalState], changelog: Iterable[Seen]) -> list[str]:
    """Return a sentence for each store that is no replay of the changelog, and each partition without a whole one.

    Of a key that was written after the store's position only a later store knows the value: compaction may have taken
    the earlier one away.
    """
    last: dict[int, dict[bytes, tuple[int, bytes | None]]] = {}
    for record in changelog:
        last.setdefault(record.partition, {})[record.key or b""] = record.offset, record.value
    sentences = [sentence for store in stores for sentence in _differences(store, last.get(store.partition, {}))]
    for partition, keys in sorted(last.items()):
        end = max(offset for offset, _ in keys.values())
        if not any(store.partition == partition and store.position > end for store in stores):
            sentences.append(f"no worker's state of partition {partition} reaches offset {end} of the changelog")
    return sentences


def _differences(store: LocalState, last: Mapping[bytes, tuple[int, bytes | None]]) -> Iterator[str]:
    wanted = {key: value for key, (offset, value) in last.items() if offset < store.position}
    wrong = [key for key, value in wanted.items() if store.entries.get(key) != value]
    unknown = store.entries.keys() - last.keys()
    if wrong or unknown:
        yield (
            f"the state of worker {store.worker} for partition {store.partition} at position {store.position}: "
            f"{len(wrong)} of {len(wanted)} entries differ from the changelog, {len(unknown)} are not in it"
        )


def _read(worker: str, partition: int, state: RowFileState, changelog: str) -> LocalState:
    store = state.open(partition, changelog)
    entries, cursor = store.page(b"", PAGE)
    found = dict(entries)
    while cursor:
        entries, cursor = store.page(cursor, PAGE)
        found |= entries
    return LocalState(worker, partition, store.position, found)
