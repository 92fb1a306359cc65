"""Every test of the ports runs on the twin and on a real Kafka."""

from collections.abc import Iterator

import pytest

from tests.streams.ground import Ground
from tests.streams.kafka_ground import KafkaGround
from tests.streams.twin_ground import TwinGround


@pytest.fixture(params=["twin", pytest.param("kafka", marks=pytest.mark.kafka)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    made = _kafka_ground(request) if request.param == "kafka" else TwinGround()
    yield made
    made.close()


def _kafka_ground(request: pytest.FixtureRequest) -> Ground:
    """The broker is asked for only here, so that the twin's half runs where there is none."""
    return KafkaGround(request.getfixturevalue("kafka").bootstrap_servers, request.getfixturevalue("topic_prefix"))
