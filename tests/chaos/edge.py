"""The edge: publishes clicks all the time, even if the broker fails, and knows which were acknowledged."""

from collections.abc import Iterator
from itertools import islice
from threading import Event, Lock, Thread

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.chaos.traffic import Publication
from tests.support.deployment import producer_config
from tests.support.patience import stretched

TICK_SECONDS = 0.02
FINISH_SECONDS = 60.0


class Edge:
    """Publishes from an iterator at an even pace while it flows, never waiting for an answer."""

    def __init__(self, servers: str, topic: str, publications: Iterator[Publication], *, per_second: int) -> None:
        self._servers = servers
        self._topic = topic
        self._publications = publications
        self._per_tick = max(1, round(per_second * TICK_SECONDS))
        self._producer = self._open()
        self._flowing, self._ended = Event(), Event()
        self._turn = Lock()
        self._thread = Thread(target=self._run, name="edge", daemon=True)
        self.acknowledged: dict[tuple[int, int], bytes | None] = {}
        """The value by partition and offset."""
        self._ends: dict[int, int] = {}
        self.unknown = 0
        """Records without an acknowledgement; the topic may hold them or not."""
        self._thread.start()

    def flow(self) -> None:
        """Publish from now on."""
        self._flowing.set()

    def rest(self) -> None:
        """Publish no more, and return once the broker has said of everything what became of it."""
        self._flowing.clear()
        with self._turn:
            left = self._producer.flush(stretched(FINISH_SECONDS))
        assert not left, f"{left} clicks got neither an acknowledgement nor an error"

    def send(self, count: int) -> None:
        """Publish that many at once, while it rests, and return as `rest` does."""
        for publication in islice(self._publications, count):
            self._publish(publication)
        self.rest()

    def ends(self) -> dict[int, int]:
        """Return the offset after the last acknowledged record, by partition."""
        return dict(self._ends)

    def close(self) -> None:
        """End the thread."""
        self._flowing.set()
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            self._flowing.wait()
            with self._turn:
                for publication in islice(self._publications, self._per_tick if self._flowing.is_set() else 0):
                    self._publish(publication)
                self._producer.poll(0)

    def _publish(self, publication: Publication) -> None:
        value, key, partition = publication.value, publication.key, publication.partition
        try:
            self._producer.produce(self._topic, value, key, partition, on_delivery=self._note)
        except BufferError:
            self._producer.poll(0.1)
        except KafkaException:
            # Only a fatal error comes this way; an edge starts again with a new producer.
            self._producer = self._open()

    def _note(self, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is not None or partition is None or offset is None:
            self.unknown += 1
        else:
            self.acknowledged[partition, offset] = message.value()
            self._ends[partition] = max(self._ends.get(partition, 0), offset + 1)

    def _open(self) -> Producer:
        return Producer({**producer_config(self._servers), "log_level": 0})
