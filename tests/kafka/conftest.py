"""An installation of the test's own on the broker of the run, or on a broker that the test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import Broker, KafkaProcess
from tests.support.deployment import Installation


@pytest.fixture
def bare_installation(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Installation]:
    """Without topics: the test makes them as it needs them."""
    installation = Installation(kafka, topic_prefix, tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def installation(bare_installation: Installation) -> Installation:
    """With all topics, the clicks in four partitions."""
    return bare_installation.create_topics()


@pytest.fixture
def breakable_installation(kafka_process: KafkaProcess, topic_prefix: str, tmp_path: Path) -> Iterator[Installation]:
    """On the broker `kafka_process`, which the test may kill, pause and start again."""
    installation = Installation(kafka_process, topic_prefix, tmp_path).create_topics()
    yield installation
    installation.close()
