"""The chapters of a run: what was processed between two choices of the operator, and with which dedupe state."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from consumer.verify.comparison import compare
from consumer.verify.murmur import partition_of
from consumer.verify.reader import decode
from consumer.verify.reference_model import Expected, ReferenceModel
from runtime.fake_kafka.record import FakeRecord
from tests.loop.expectations import as_seen
from tests.loop.fake_environment import FakeEnvironment
from tests.loop.scenario import Story

Ends = Mapping[tuple[str, int], int]
"""The end offset of each partition of each topic."""


@dataclass
class Chapter:
    """Clicks from `first` on are handled, per partition, up to the start of the next chapter."""

    first: dict[int, int]
    ends: Ends
    """Of all topics, when it began; nothing was in doubt then."""
    done: dict[int, int] = field(default_factory=dict)
    forgot: frozenset[int] = frozenset()
    """Partitions whose dedupe state was lost when it began."""


@dataclass
class Chapters:
    """All that the operator has done."""

    environment: FakeEnvironment
    all: list[Chapter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.all.append(Chapter(dict.fromkeys(range(self.environment.partitions), 0), {}))

    def begin(self, done: Mapping[int, int], first: Mapping[int, int], forgot: Iterable[int]) -> None:
        """End a chapter at what was handled, and begin another."""
        self.all[-1].done = dict(done)
        self.all.append(Chapter(dict(first), ends_of(self.environment), forgot=frozenset(forgot)))

    def violations(self, story: Story) -> Iterator[str]:
        """Compare each chapter's updates and dead letters with what the model makes of its clicks."""
        clicks = {
            p: everything(self.environment, self.environment.names.clicks, p)
            for p in range(self.environment.partitions)
        }
        bad = {(each.partition, each.offset): str(each.reason) for each in story.bad}
        models = {p: self._model() for p in clicks}
        upto = [*(each.ends for each in self.all[1:]), ends_of(self.environment)]
        for number, (chapter, ends) in enumerate(zip(self.all, upto, strict=True)):
            models |= {p: self._model() for p in chapter.forgot}
            before = {p: len(model.expected) for p, model in models.items()}
            letters: list[tuple[int, int, str]] = []
            for partition, records in clicks.items():
                for record in records:
                    if self._is_in(chapter, partition, record.offset()):
                        letters += self._handle(record, models[partition], bad)
            expected = [each for p, model in models.items() for each in model.expected[before[p] :]]
            yield from self._compare(number, chapter.ends, ends, expected=expected, letters=letters)

    def lost(self, partition: int) -> int:
        """Return how many offsets of the partition were skipped since its dedupe state was last lost."""
        total = 0
        for before, after in pairwise(self.all):
            total = 0 if partition in after.forgot else total
            total += max(after.first[partition] - before.done[partition], 0)
        return total

    def _is_in(self, chapter: Chapter, partition: int, offset: int) -> bool:
        done = chapter.done.get(partition)
        return offset >= chapter.first[partition] and (done is None or offset < done)

    def _model(self) -> ReferenceModel:
        return ReferenceModel(self.environment.links, partitions=self.environment.partitions)

    def _handle(
        self, record: FakeRecord, model: ReferenceModel, bad: Mapping[tuple[int, int], str]
    ) -> list[tuple[int, int, str]]:
        place = record.partition(), record.offset()
        if place in bad:
            return [(*place, bad[place])]
        click = decode("LinkClicked", record.value())
        key = f"{click['tenant_id']}/{click['recipient_id']}".encode()
        if partition_of(key, self.environment.partitions) == record.partition():
            model.click(click)
        return []

    def _compare(
        self, number: int, begun: Ends, ended: Ends, *, expected: list[Expected], letters: list[tuple[int, int, str]]
    ) -> Iterator[str]:
        def of(topic: str) -> Iterator[FakeRecord]:
            for partition in range(self.environment.partitions):
                place = topic, partition
                records = everything(self.environment, topic, partition)
                yield from (each for each in records if begun.get(place, 0) <= each.offset() < ended[place])

        names = self.environment.names
        seen = [as_seen(each, self.environment.partitions) for t in names.updates.values() for each in of(t)]
        comparison = compare(expected, seen)
        if not comparison.is_exact:
            yield f"chapter {number}, updates: {comparison}"
        told = sorted(_letter(record) for record in of(names.dead_letters))
        if told != sorted(letters):
            yield f"chapter {number}: dead letters are {told}, not {sorted(letters)}"


def everything(environment: FakeEnvironment, topic: str, partition: int) -> list[FakeRecord]:
    """Return all records ever committed, including those deleted from the head."""
    log = environment.cluster.topic(topic).log(partition)
    start, log.start = log.start, 0
    try:
        return log.read_committed(0, log.end)[0]
    finally:
        log.start = start


def ends_of(environment: FakeEnvironment) -> Ends:
    return {
        (name, p): log.end for name, topic in environment.cluster.topics.items() for p, log in enumerate(topic.logs)
    }


def _letter(record: FakeRecord) -> tuple[int, int, str]:
    told = {name: (value or b"").decode() for name, value in record.headers() or []}
    return int(told["dlq.partition"]), int(told["dlq.offset"]), told["dlq.reason"]
