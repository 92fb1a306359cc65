"""The transactional producer of one worker on the in-memory Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from runtime.fake_kafka.cluster import Draft, FakeCluster, RecordTooLarge, UnknownTopic
from runtime.fake_kafka.errors import missing, taken_over
from runtime.fake_kafka.group import Group, IllegalGeneration, UnknownMember
from runtime.fake_kafka.network import Lost, Network
from runtime.fake_kafka.partition_log import DuplicateSequence, SequenceGap
from runtime.fake_kafka.transactions import Fenced, NoTransaction, Producer
from runtime.ports import OutcomeUnknown, ProducerRecord, TransactionAborted

Answer = TypeVar("Answer")
TopicPartition = tuple[str, int]


class TransactionalProducer:
    """Produces in transactions, one at a time.

    Records that the broker takes are in the log at once. A refusal is raised by the commit, as by the real producer.
    """

    def __init__(self, cluster: FakeCluster, network: Network, transactional_id: str) -> None:
        self._cluster = cluster
        self._network = network
        self._transactional_id = transactional_id
        self._producer: Producer | None = None
        self._sequences: dict[TopicPartition, int] = {}
        self._in_transaction = False
        self._added: set[TopicPartition] = set()
        self._failure: Exception | None = None
        self._tracked: dict[int, int | None] = {}

    def reinit(self) -> None:
        """Take the next epoch, which ends what is open under the transactional id. Raises OutcomeUnknown."""
        self._tracked = {}
        self._producer, self._in_transaction = None, False
        transactions = self._cluster.transactions
        producer = self._ask("InitProducerId", lambda: transactions.open_producer(self._transactional_id))
        self._producer, self._sequences = producer, {}

    def begin_transaction(self) -> None:
        """Open a transaction; the cluster learns of it with the first record. Raises OutcomeUnknown."""
        if self._producer is None:
            raise OutcomeUnknown("there is no producer yet")
        if self._in_transaction:
            raise OutcomeUnknown("a transaction is open already")
        self._in_transaction, self._added, self._failure = True, set(), None

    def produce(self, records: Sequence[ProducerRecord]) -> int | None:
        """Produce records; return the offset of the last one. Without an answer return None; the commit then fails."""
        if self._producer is not None and not self._in_transaction:
            raise TransactionAborted("no transaction is open")
        self._require_transaction()
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

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Produce one record; `commit_transaction` returns the offset after it."""
        offset = self.produce([record])
        self._tracked[record.partition] = None if offset is None else offset + 1

    def commit_transaction(self, group: Group, member: str, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit records and offsets; return the offset after the tracked record of each partition.

        Raises TransactionAborted, OutcomeUnknown or FatalKafkaError.
        """
        self._commit(group, member, offsets)
        tracked, self._tracked = self._tracked, {}
        known = {partition: offset for partition, offset in tracked.items() if offset is not None}
        if len(known) < len(tracked):
            raise OutcomeUnknown("the broker does not return the offsets of the records")
        return known

    def _commit(self, group: Group, member: str, offsets: Mapping[int, int]) -> None:
        producer = self._require_transaction()
        if self._failure is not None:
            raise self._failure
        # The library learns of each generation on its own thread.
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

    def abort_transaction(self) -> None:
        """Abort the open transaction. Raises OutcomeUnknown or FatalKafkaError."""
        self._tracked = {}
        producer = self._require_transaction()
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
        """Add new partitions to the transaction at the coordinator, then send to the leader of each partition."""
        by_partition: dict[TopicPartition, list[ProducerRecord]] = {}
        for record in records:
            by_partition.setdefault((record.topic, record.partition), []).append(record)
        if new := sorted(by_partition.keys() - self._added):
            self._network.ask("AddPartitionsToTxn", self._adding(new))
            self._added.update(new)
        offset = None
        for topic_partition, own in by_partition.items():
            offset = self._send(topic_partition, own)
        return offset

    def _adding(self, partitions: Sequence[TopicPartition]) -> Callable[[], None]:
        producer = self._require_transaction()

        def add() -> None:
            logs = [self._cluster.topic(topic).log(partition) for topic, partition in partitions]
            for log in logs:
                self._cluster.transactions.touch(producer, log)

        return add

    def _send(self, target: TopicPartition, records: Sequence[ProducerRecord]) -> int | None:
        """Send to one partition. A repeated request appends nothing: the log knows its sequence number."""
        first = self._sequences.get(target, 0)
        try:
            offset = self._network.ask("Produce", self._producing(target, first, records))
        except Lost:
            self._sequences[target] = first + len(records)
            raise
        self._sequences[target] = first + len(records)
        return offset

    def _producing(
        self, target: TopicPartition, first: int, records: Sequence[ProducerRecord]
    ) -> Callable[[], int | None]:
        producer, cluster = self._require_transaction(), self._cluster
        topic, partition = target
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

    def _require_transaction(self) -> Producer:
        if self._producer is None or not self._in_transaction:
            raise OutcomeUnknown("no transaction is open")
        return self._producer
