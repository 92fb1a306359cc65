"""The twin's outcome of every script is that of a real Kafka."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from consumer.fake_kafka.partition_log import PartitionLog
from consumer.fake_kafka.transactions import Producer, TransactionCoordinator
from deploy.kafka import Broker
from tests.scenarios.kafka_place import KafkaPlace
from tests.scenarios.random_script import draw_script
from tests.scenarios.script import SCRIPTS
from tests.scenarios.stage import Stage
from tests.scenarios.twin_place import TwinPlace

SEEDS = range(1, 31)


@pytest.fixture
def kafka_place(kafka: Broker, topic_prefix: str) -> Iterator[KafkaPlace]:
    with closing(KafkaPlace(kafka.bootstrap_servers, topic_prefix)) as place:
        yield place


class LenientCoordinator(TransactionCoordinator):
    """Lets zombies go on."""

    def _check(self, producer: Producer) -> None: ...


class LeakyLog(PartitionLog):
    """Shows read_committed readers the records after an open transaction."""

    @property
    def stable_end(self) -> int:
        return self.end


def played_by_the_twin(script: list[str]) -> list[str]:
    return Stage(TwinPlace()).play(script)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_the_same_outcome_on_both(name: str, kafka_place: KafkaPlace) -> None:
    expected = played_by_the_twin(SCRIPTS[name])
    assert Stage(kafka_place).play(SCRIPTS[name], expected) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_random_script_has_same_outcome_on_both(seed: int, kafka_place: KafkaPlace) -> None:
    script = draw_script(seed)
    expected = played_by_the_twin(script)
    assert Stage(kafka_place).play(script, expected) == expected


def test_fake_without_fencing_is_found(kafka_place: KafkaPlace) -> None:
    script, drifted = SCRIPTS["a zombie that commits"], TwinPlace()
    drifted.cluster.transactions = LenientCoordinator()
    assert Stage(drifted).play(script) != Stage(kafka_place).play(script)


def test_fake_reading_past_open_transactions_is_found(kafka_place: KafkaPlace) -> None:
    script, drifted = SCRIPTS["transactions side by side"], TwinPlace()
    stage = Stage(drifted)
    drifted.cluster.topic("topic-2").logs[:] = [LeakyLog()]
    assert stage.play(script) != Stage(kafka_place).play(script)
