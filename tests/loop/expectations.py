"""Compares topics, state and counts with what must have come of the clicks, whatever failed meanwhile."""

from collections import Counter
from collections.abc import Iterable

from consumer.decision.outcome import BatchCounts
from consumer.verify.comparison import Comparison, compare
from consumer.verify.murmur import partition_of
from consumer.verify.reader import Seen, decode
from consumer.verify.reference_model import ReferenceModel
from runtime.fake_kafka.record import FakeRecord
from runtime.state.in_memory import MemoryState
from tests.loop.fake_environment import FakeEnvironment
from tests.loop.scenario import Story


def require_exact(story: Story, *states: MemoryState) -> None:
    """Require that updates, hits, dead letters, rerouted clicks and state are exactly those of the story."""
    environment = story.environment
    model = expected_model(environment, {(bad.partition, bad.offset) for bad in story.bad})
    verdict = compare_updates(environment, model)
    assert verdict.is_exact, str(verdict)
    assert hits(environment) == model.hits
    assert dead_letters(environment) == sorted((bad.partition, bad.offset, str(bad.reason)) for bad in story.bad)
    assert rerouted_copies(story) == [1] * len(story.misrouted)
    for state in states:
        require_state_as_changelog(environment, state)
    assert environment.cluster.transactions.open_transactions == []


def require_all_counted(story: Story, counts: BatchCounts) -> None:
    """Require that each record of the topic was counted once."""
    environment = story.environment
    model = expected_model(environment, {(bad.partition, bad.offset) for bad in story.bad})
    expected = model.outcomes + Counter({"dead_lettered": len(story.bad), "rerouted": len(story.misrouted)})
    assert counts.balanced
    assert counts.consumed == len(environment.read(environment.names.clicks))
    assert +counts.clicks == expected
    assert +counts.actions == model.actions


def expected_model(environment: FakeEnvironment, bad: set[tuple[int, int]]) -> ReferenceModel:
    """Return the reference model of the clicks in the topic; a rerouted click counts where it arrived."""
    model = ReferenceModel(environment.links, partitions=environment.partitions)
    for record in environment.read(environment.names.clicks):
        if (record.partition(), record.offset()) in bad:
            continue
        click = decode("LinkClicked", record.value())
        key = f"{click['tenant_id']}/{click['recipient_id']}".encode()
        if partition_of(key, environment.partitions) == record.partition():
            model.click(click)
    return model


def compare_updates(environment: FakeEnvironment, model: ReferenceModel) -> Comparison:
    seen = [
        as_seen(record, environment.partitions)
        for topic in environment.names.updates.values()
        for record in environment.read(topic)
    ]
    return compare(model.expected, seen)


def hits(environment: FakeEnvironment) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return the newest hits of each link, summed over the partitions that have seen its newest epoch."""
    newest = {record.key(): decode("LinkHits", record.value()) for record in environment.read(environment.names.hits)}
    total: dict[tuple[str, str], tuple[int, int, int]] = {}
    for one in newest.values():
        link = one["tenant_id"], one["link_id"]
        epoch, clicks, first_clicks = total.get(link, (one["epoch"], 0, 0))
        if one["epoch"] > epoch:
            epoch, clicks, first_clicks = one["epoch"], 0, 0
        if one["epoch"] == epoch:
            total[link] = epoch, clicks + one["clicks"], first_clicks + one["first_clicks"]
    return total


def dead_letters(environment: FakeEnvironment) -> list[tuple[int, int, str]]:
    """Return partition, offset and reason of each dead letter; each must hold the original bytes."""
    originals = {(record.partition(), record.offset()): record for record in environment.read(environment.names.clicks)}
    found = []
    for letter in environment.read(environment.names.dead_letters):
        told = {name: (value or b"").decode() for name, value in letter.headers() or []}
        place = int(told["dlq.partition"]), int(told["dlq.offset"])
        original = originals[place]
        assert (letter.key(), letter.value()) == (original.key(), original.value())
        assert letter.partition() == original.partition()
        assert letter.timestamp() == original.timestamp()
        found.append((*place, told["dlq.reason"]))
    return sorted(found)


def rerouted_copies(story: Story) -> list[int]:
    """Return how often each misrouted click is in its right partition."""
    environment = story.environment
    arrived = Counter((record.value(), record.partition()) for record in environment.read(environment.names.clicks))
    return [arrived[value, right] for value, right in story.misrouted]


def require_state_as_changelog(environment: FakeEnvironment, state: MemoryState) -> None:
    """Require that each store equals a replay of the changelog up to its position, and that none is ahead."""
    topic = environment.cluster.topic(environment.names.changelog)
    for partition, log in enumerate(topic.logs):
        store = state.open(partition, f"{environment.cluster.cluster_id}/{topic.topic_id}")
        assert dict(store.scan(b"")) == replayed(log.read_committed(0, log.end)[0], store.position)
        assert store.position <= log.end


def replayed(records: Iterable[FakeRecord], end: int) -> dict[bytes, bytes]:
    """Return the state that the records of a changelog before an offset give."""
    entries: dict[bytes, bytes] = {}
    for record in records:
        if record.offset() < end:
            _apply(entries, record)
    return entries


def _apply(entries: dict[bytes, bytes], record: FakeRecord) -> None:
    key, value = record.key() or b"", record.value()
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = value


def as_seen(record: FakeRecord, partitions: int) -> Seen:
    """Return a record as the independent reader sees it."""
    headers = [(name, value or b"") for name, value in record.headers() or []]
    place = record.topic(), record.partition(), record.offset(), record.timestamp()[1]
    return Seen(*place, record.key(), record.value(), headers, partitions)
