"""Every test of the ports runs on the twin and on a real Kafka, there by each way to the client library."""

from collections.abc import Iterator

import pytest

from consumer.kafka.backend import BACKENDS, Backend
from tests.ports.ground import Ground
from tests.ports.kafka_ground import KafkaGround
from tests.ports.twin_ground import TwinGround

TWIN = "twin"


@pytest.fixture(params=[TWIN, *(pytest.param(name, marks=pytest.mark.kafka) for name in BACKENDS)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    made = TwinGround() if request.param == TWIN else _kafka_ground(request, BACKENDS[request.param])
    yield made
    made.close()


def _kafka_ground(request: pytest.FixtureRequest, backend: Backend) -> Ground:
    """The broker is asked for only here, so that the twin's part runs where there is none."""
    servers = request.getfixturevalue("kafka").bootstrap_servers
    return KafkaGround(servers, request.getfixturevalue("topic_prefix"), backend)
