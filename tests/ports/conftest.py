"""Every test of the ports runs on the in-memory fake and on a real Kafka, there with each backend."""

from collections.abc import Iterator

import pytest

from runtime.kafka.backend import BACKENDS, Backend
from tests.ports.environment import Environment
from tests.ports.fake_environment import FakeEnvironment
from tests.ports.kafka_environment import KafkaEnvironment

FAKE = "fake"


@pytest.fixture(params=[FAKE, *(pytest.param(name, marks=pytest.mark.kafka) for name in BACKENDS)])
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    made = FakeEnvironment() if request.param == FAKE else _kafka_environment(request, BACKENDS[request.param])
    yield made
    made.close()


def _kafka_environment(request: pytest.FixtureRequest, backend: Backend) -> Environment:
    """Request the broker only here, so that the tests on the fake run without one."""
    servers = request.getfixturevalue("kafka").bootstrap_servers
    return KafkaEnvironment(servers, request.getfixturevalue("topic_prefix"), backend)
