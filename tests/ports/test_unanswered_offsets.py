"""A partition without a leader: the library returns -1001 as its end offset, without an error."""

from collections.abc import Iterable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_INVALID, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka.log_reader import KafkaLogReader
from runtime.ports import RetriableError


class LeaderlessAdmin:
    """Answers as librdkafka 2.16 does while the broker is dead that leads some of the partitions."""

    def __init__(self, *leaderless: int) -> None:
        self._leaderless = leaderless

    def list_topics(self, **_options: Any) -> None:
        """Have nothing new to tell."""

    def list_offsets(self, wanted: Iterable[TopicPartition], **_options: Any) -> dict[TopicPartition, Future[Any]]:
        """Return 7, or -1001 without a leader."""
        answers: dict[TopicPartition, Future[Any]] = {}
        for place in wanted:
            answers[place] = Future()
            offset = OFFSET_INVALID if place.partition in self._leaderless else 7
            answers[place].set_result(SimpleNamespace(offset=offset))
        return answers


def reader_with(admin: LeaderlessAdmin) -> KafkaLogReader:
    return KafkaLogReader(cast(Any, None), cast(AdminClient, admin), "changelog")


def test_missing_end_offset_raises() -> None:
    assert reader_with(LeaderlessAdmin()).watermarks([0, 1]) == {0: (7, 7), 1: (7, 7)}
    with pytest.raises(RetriableError, match="the leader of changelog/1 does not return"):
        reader_with(LeaderlessAdmin(1)).watermarks([0, 1])
