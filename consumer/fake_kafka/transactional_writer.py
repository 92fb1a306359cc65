"""The producer of one worker, on the twin."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from consumer.fake_kafka.cluster import Draft, FakeCluster, RecordTooLarge, UnknownTopic
from consumer.fake_kafka.errors import missing, taken_over
from consumer.fake_kafka.group import Group, IllegalGeneration, UnknownMember
from consumer.fake_kafka.network import Lost, Network
from consumer.fake_kafka.partition_log import DuplicateSequence, SequenceGap
from consumer.fake_kafka.transactions import Fenced, NoTransaction, Producer
from consumer.ports import OutcomeUnknown, ProducerRecord, TransactionAborted

Answer = TypeVar("Answer")
Place = tuple[str, int]


class TransactionalWriter:
    """Writes in transactions, one at a time.

    A broker tells what it refuses when the transaction is committed, so that is when this twin tells it too; what it
    does take lies in the partitions at once.
    """

    def __init__(self, cluster: FakeCluster, network: Network, transactional_id: str) -> None:
        self._cluster = cluster
        self._network = network
        self._transactional_id = transactional_id
        self._producer: Producer | None = None
        self._sequences: dict[Place, int] = {}
        self._in_transaction = False
        self._added: set[Place] = set()
        self._failure: Exception | None = None

    def renew(self) -> None:
        """Take the next epoch, which ends what is open under the id. Raises OutcomeUnknown."""
        self._producer, self._in_transaction = None, False
        transactions = self._cluster.transactions
        producer = self._ask("InitProducerId", lambda: transactions.open_producer(self._transactional_id))
        self._producer, self._sequences = producer, {}

    def begin(self) -> None:
        """Open a transaction; the cluster hears of it with the first record. Raises OutcomeUnknown."""
        if self._producer is None:
            raise OutcomeUnknown("there is no producer yet")
        if self._in_transaction:
            raise OutcomeUnknown("a transaction is open already")
        self._in_transaction, self._added, self._failure = True, set(), None

    def append(self, records: Sequence[ProducerRecord]) -> int | None:
        """Write records; return the offset of the last one, None where it is not known, which `commit` will tell."""
        if self._producer is not None and not self._in_transaction:
            raise TransactionAborted("no transaction is open")
        self._need_transaction()
        try:
            return self._send_all(records)
        except Fenced as error:
            raise taken_over(error) from error
        except UnknownTopic as error:
            raise missing(error) from error
        except Lost:
            self._failure = self._failure or OutcomeUnknown("records were not delivered in time")
        except RecordTooLarge as error:
            self._failure = self._failure or TransactionAborted(str(error), poison=True)
        except (NoTransaction, SequenceGap) as error:
            self._failure = self._failure or TransactionAborted(str(error))
        return None

    def commit(self, group: Group, member: str, offsets: Mapping[int, int]) -> None:
        """Commit what was written and the offsets. Raises TransactionAborted, OutcomeUnknown, FatalKafkaError."""
        producer = self._need_transaction()
        if self._failure is not None:
            raise self._failure
        # The library's own thread learns of each generation, while the member turns.
        generation = group.generation

        def commit_offsets() -> None:
            group.check(member, generation)
            self._cluster.transactions.add_offsets(producer, group, offsets, member)

        try:
            self._ask("TxnOffsetCommit", commit_offsets)
            self._ask("EndTxn", lambda: self._cluster.transactions.commit(producer))
        except (UnknownMember, IllegalGeneration) as error:
            raise TransactionAborted(str(error), rebalance=True) from error
        except NoTransaction as error:
            raise taken_over(Fenced(str(error))) from error
        self._in_transaction = False

    def abort(self) -> None:
        """Drop what was written. Raises OutcomeUnknown, FatalKafkaError."""
        producer = self._need_transaction()
        self._in_transaction = False
        try:
            self._ask("EndTxn", lambda: self._cluster.transactions.abort(producer))
        except NoTransaction:
            return

    def _ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        try:
            return self._network.ask(name, request)
        except Fenced as error:
            raise taken_over(error) from error
        except Lost as error:
            raise OutcomeUnknown(f"{name} was not answered in time") from error

    def _send_all(self, records: Sequence[ProducerRecord]) -> int | None:
        """Tell the coordinator of partitions that are new in this transaction, and send to the leader of each."""
        by_place: dict[Place, list[ProducerRecord]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        if new := sorted(by_place.keys() - self._added):
            self._network.ask("AddPartitionsToTxn", self._adding(new))
            self._added.update(new)
        offset = None
        for place, mine in by_place.items():
            offset = self._send(place, mine)
        return offset

    def _adding(self, places: Sequence[Place]) -> Callable[[], None]:
        producer = self._need_transaction()

        def add() -> None:
            logs = [self._cluster.topic(topic).log(partition) for topic, partition in places]
            for log in logs:
                self._cluster.transactions.touch(producer, log)

        return add

    def _send(self, place: Place, records: Sequence[ProducerRecord]) -> int | None:
        """Send to one partition; a request that is repeated does nothing, since its sequence is known."""
        first = self._sequences.get(place, 0)
        try:
            offset = self._network.ask("Produce", self._producing(place, first, records))
        except Lost:
            self._sequences[place] = first + len(records)
            raise
        self._sequences[place] = first + len(records)
        return offset

    def _producing(self, place: Place, first: int, records: Sequence[ProducerRecord]) -> Callable[[], int | None]:
        producer, cluster = self._need_transaction(), self._cluster
        topic, partition = place
        drafts = [Draft(each.key, each.value, each.headers, each.timestamp) for each in records]

        def produce() -> int | None:
            log = cluster.topic(topic).log(partition)
            cluster.transactions.check_part(producer, log)
            for draft in drafts:
                cluster.check_size(topic, draft)
            try:
                log.expect(producer.producer_id, producer.epoch, first, len(drafts))
            except DuplicateSequence:
                return None
            return [log.append(cluster.maker(topic, partition, draft), producer.producer_id) for draft in drafts][-1]

        return produce

    def _need_transaction(self) -> Producer:
        if self._producer is None or not self._in_transaction:
            raise OutcomeUnknown("no transaction is open")
        return self._producer
