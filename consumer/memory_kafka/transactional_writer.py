"""The producer of one worker, on the twin."""

from collections.abc import Mapping

from consumer.memory_kafka.cluster import Draft, MemoryCluster, RecordTooLarge, UnknownTopic
from consumer.memory_kafka.errors import missing, taken_over
from consumer.memory_kafka.group import Group, UnknownMember
from consumer.memory_kafka.transactions import Fenced, NoTransaction, Producer
from consumer.streams import Aborted, OutcomeUnknown, Outgoing


class TransactionalWriter:
    """Writes in transactions, one at a time.

    A broker tells what it refuses when the transaction is committed, so that is when this twin tells it too; what it
    does take lies in the partitions at once.
    """

    def __init__(self, cluster: MemoryCluster, transactional_id: str) -> None:
        self._cluster = cluster
        self._transactional_id = transactional_id
        self._producer: Producer | None = None
        self._in_transaction = False
        self._refused: RecordTooLarge | None = None

    def renew(self) -> None:
        """Take the next epoch, which ends what is open under the id."""
        self._forget_transaction()
        with self._cluster.lock:
            self._producer = self._cluster.transactions.open_producer(self._transactional_id)

    def begin(self) -> None:
        """Open a transaction; the cluster hears of it with the first record. Raises OutcomeUnknown."""
        if self._producer is None:
            raise OutcomeUnknown("there is no producer yet")
        if self._in_transaction:
            raise OutcomeUnknown("a transaction is open already")
        self._in_transaction = True

    def append(self, record: Outgoing) -> int | None:
        """Write one record and return its offset; None where the topic refuses it, which `commit` will tell."""
        producer, cluster = self._need_transaction(), self._cluster
        draft = Draft(record.key, record.value, record.headers, record.timestamp)
        with cluster.lock:
            try:
                log = cluster.topic(record.topic).log(record.partition)
                cluster.transactions.touch(producer, log)
                cluster.check_size(record.topic, draft)
            except Fenced as error:
                raise taken_over(error) from error
            except UnknownTopic as error:
                raise missing(error) from error
            except RecordTooLarge as error:
                self._refused = error
                return None
            return cluster.transactions.append(producer, log, cluster.maker(record.topic, record.partition, draft))

    def commit(self, group: Group, member: str, offsets: Mapping[int, int]) -> None:
        """Commit what was written together with the member's offsets. Raises Aborted, OutcomeUnknown, StreamFatal."""
        producer = self._need_transaction()
        if self._refused is not None:
            raise Aborted(str(self._refused), poison=True)
        with self._cluster.lock:
            try:
                group.check(member)
                self._cluster.transactions.add_offsets(producer, group, offsets)
                self._cluster.transactions.commit(producer)
            except UnknownMember as error:
                raise Aborted(str(error), rebalance=True) from error
            except Fenced as error:
                raise taken_over(error) from error
        self._forget_transaction()

    def abort(self) -> None:
        """Drop what was written. Raises OutcomeUnknown, StreamFatal."""
        producer = self._need_transaction()
        self._forget_transaction()
        with self._cluster.lock:
            try:
                self._cluster.transactions.abort(producer)
            except Fenced as error:
                raise taken_over(error) from error
            except NoTransaction:
                return

    def _need_transaction(self) -> Producer:
        if self._producer is None or not self._in_transaction:
            raise OutcomeUnknown("no transaction is open")
        return self._producer

    def _forget_transaction(self) -> None:
        self._in_transaction = False
        self._refused = None
