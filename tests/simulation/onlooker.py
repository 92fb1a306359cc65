"""A subscriber that reads alongside: what it has seen once it must never see again, and never see vanish."""

from collections.abc import Iterable

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from runtime.fake_kafka.record import FakeRecord
from tests.loop.fake_environment import FakeEnvironment

RecordId = tuple[str, int, int]


class Onlooker:
    """Reads updates and dead letters, committed ones only."""

    def __init__(self, environment: FakeEnvironment) -> None:
        self._environment = environment
        self._positions: dict[tuple[str, int], int] = {}
        self._seen: dict[RecordId, bytes] = {}
        self._identities: dict[tuple[str, bytes], RecordId] = {}
        self.changelog: dict[int, list[FakeRecord]] = {partition: [] for partition in range(environment.partitions)}
        """Everything ever committed, compacted since or not; look before compaction."""
        self.handled: dict[int, int] = dict.fromkeys(range(environment.partitions), 0)
        """The offset up to which clicks were handled, by the last committed checkpoint of each partition."""
        self.lost: dict[int, int] = dict.fromkeys(range(environment.partitions), 0)
        """Number of offsets that operators chose to skip, by the same checkpoint."""
        self.violations: list[str] = []

    def look(self) -> None:
        """Read on."""
        for topic in self._topics():
            self._take(self._read_on(topic))
        for record in self._read_on(self._environment.names.changelog):
            self.changelog[record.partition()].append(record)
            if record.key() == CHECKPOINT_KEY:
                checkpoint = Checkpoint.decode(record.value() or b"")
                self.handled[record.partition()], self.lost[record.partition()] = (
                    checkpoint.offset or 0,
                    checkpoint.skipped,
                )

    def begin_changelog(self) -> None:
        """The changelog was created again."""
        name = self._environment.names.changelog
        self._positions = {place: offset for place, offset in self._positions.items() if place[0] != name}
        for records in self.changelog.values():
            records.clear()

    def begin_chapter(self) -> None:
        """A person chose to have clicks handled again, or without what was remembered: what was seen may come again."""
        self.look()
        self._identities.clear()

    def _read_on(self, topic: str) -> list[FakeRecord]:
        found: list[FakeRecord] = []
        for partition, log in enumerate(self._environment.cluster.topic(topic).logs):
            position = self._positions.get((topic, partition), 0)
            if position < log.stable_end:
                records, self._positions[topic, partition] = log.read_committed(position, log.end)
                found += records
        return found

    def look_back(self) -> None:
        """Read everything again and compare it with what was seen earlier."""
        now = {
            (record.topic(), record.partition(), record.offset()): _identity(record)
            for topic in self._topics()
            for record in self._environment.read(topic)
        }
        self.violations += [f"{place} was seen and is gone" for place in sorted(self._seen.keys() - now.keys())]
        self.violations += [f"{place} turned up behind a reader" for place in sorted(now.keys() - self._seen.keys())]

    def _topics(self) -> Iterable[str]:
        return [*self._environment.names.updates.values(), self._environment.names.dead_letters]

    def _take(self, records: Iterable[FakeRecord]) -> None:
        for record in records:
            place = record.topic(), record.partition(), record.offset()
            identity = _identity(record)
            self._seen[place] = identity
            earlier = self._identities.setdefault((record.topic(), identity), place)
            if earlier != place:
                self.violations.append(f"{place} repeats what was seen at {earlier}")


def _identity(record: FakeRecord) -> bytes:
    """Return the update's id, or the origin of a dead letter."""
    told = dict(record.headers() or [])
    if "ce_id" in told:
        return told["ce_id"] or b""
    return b"%b/%b" % (told["dlq.partition"] or b"", told["dlq.offset"] or b"")
