"""Asking for offsets while the leaders of partitions change."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from runtime.config.settings import Settings
from runtime.kafka.client import admin_config, open_admin, open_consumer, reader_config
from runtime.kafka.log_reader import KafkaLogReader
from runtime.ports import RetriableError
from tests.support.mock_cluster import MockCluster, mock_cluster


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster("changelog", partitions=2) as running:
        yield running


def a_reader(cluster: MockCluster) -> KafkaLogReader:
    settings = Settings(bootstrap_servers=cluster.bootstrap_servers, group_id="group", instance_id="one")
    return KafkaLogReader(
        open_consumer(reader_config(settings.kafka)), open_admin(admin_config(settings.kafka)), topic=cluster.topic
    )


def test_new_leader_epoch_is_learned(cluster: MockCluster) -> None:
    """The library never learns of it by being refused: FENCED_LEADER_EPOCH came again and again until a restart."""
    with closing(a_reader(cluster)) as reader:
        assert reader.watermarks([0, 1]) == {0: (0, 0), 1: (0, 0)}
        for _ in range(3):
            cluster.elect_again(1)
            assert reader.watermarks([0, 1]) == {0: (0, 0), 1: (0, 0)}


class Failing:
    def consume(self, *_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def test_read_failure_is_translated() -> None:
    reader = KafkaLogReader(cast("Consumer", Failing()), cast("AdminClient", None), "changelog")
    with pytest.raises(RetriableError, match="_TRANSPORT"):
        reader.poll(10, 0.1)
