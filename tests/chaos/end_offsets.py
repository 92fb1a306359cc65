"""End offsets of partitions, for either isolation level."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from tests.support.patience import stretched
from tests.support.waiting import wait_until

ANSWER_SECONDS = 60.0
COMMITTED, UNCOMMITTED = IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED
Ends = Mapping[tuple[str, int], int]


def ends_of(admin: AdminClient, places: Iterable[tuple[str, int]], isolation: IsolationLevel) -> Ends:
    """Return the end offset of each partition; retry if a broker has just restarted or lost the leadership."""
    wanted = [TopicPartition(topic, partition) for topic, partition in places]
    answers = wait_until(lambda: _ask(admin, wanted, isolation), "ends of partitions", timeout=ANSWER_SECONDS)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def undecided(admin: AdminClient, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
    """Return stable and last end of the partitions in which a transaction is open."""
    wanted = list(places)
    stable, last = (ends_of(admin, wanted, isolation) for isolation in (COMMITTED, UNCOMMITTED)) if wanted else ({}, {})
    return {place: (stable[place], end) for place, end in last.items() if stable[place] < end}


def _ask(
    admin: AdminClient, places: list[TopicPartition], isolation: IsolationLevel
) -> dict[TopicPartition, Future[ListOffsetsResultInfo]]:
    latest = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]  # its stub lacks the types
    try:
        answers = admin.list_offsets(latest, isolation_level=isolation, request_timeout=stretched(10))
        # Where a leader does not answer, the library reports no error, but an offset below zero.
        if any(answer.result().offset < 0 for answer in answers.values()):
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
    except KafkaException:
        # Without new metadata the library keeps sending the epoch of the previous leader.
        with suppress(KafkaException):
            admin.list_topics(timeout=1.0)
        return {}
    return answers
