"""A deployment of the test's own on the broker of the run, or on a broker that the test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import Broker, KafkaProcess
from tests.support.deployment import Deployment


@pytest.fixture
def bare_deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """Without topics: the test makes them as it needs them."""
    deployment = Deployment(kafka, topic_prefix, tmp_path)
    yield deployment
    deployment.close()


@pytest.fixture
def deployment(bare_deployment: Deployment) -> Deployment:
    """With all topics, the clicks in four partitions."""
    return bare_deployment.create_topics()


@pytest.fixture
def breakable_deployment(kafka_process: KafkaProcess, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """On the broker `kafka_process`, which the test may kill, pause and start again."""
    deployment = Deployment(kafka_process, topic_prefix, tmp_path).create_topics()
    yield deployment
    deployment.close()
