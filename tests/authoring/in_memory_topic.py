"""In-memory topic of link definitions, which fences authors as a broker does."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from runtime.authoring.publishing import PublishedRecord, PublishInterrupted

Record = tuple[bytes, bytes]


class MemoryLog:
    """The published records, and the last author to fence the others."""

    def __init__(self, records: Iterable[PublishedRecord] = ()) -> None:
        self.records: list[PublishedRecord] = list(records)
        self.term = 0


class MemoryDefinitionTopic:
    """One author's view of the log. `before_commit` is called once, between computing and publishing the versions."""

    def __init__(self, log: MemoryLog, before_commit: Iterable[Callable[[], object]] = ()) -> None:
        self._log = log
        self._position = 0
        self._term = -1
        self._before_commit: Iterator[Callable[[], object]] = iter(before_commit)
        self.commits = 0

    def read_new(self) -> Sequence[PublishedRecord]:
        new = self._log.records[self._position :]
        self._position = len(self._log.records)
        return new

    def fence_others(self) -> None:
        self._log.term += 1
        self._term = self._log.term

    def publish(self, records: Sequence[Record]) -> None:
        next(self._before_commit, lambda: None)()
        if self._term != self._log.term:
            raise PublishInterrupted("fenced by another author")
        self._log.records += records
        self.commits += 1

    def close(self) -> None:
        self._term = -1


class FrozenClock:
    """A clock that moves only by sleeping, and records the durations."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now_ms(self) -> int:
        return 1_795_608_000_000 + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
