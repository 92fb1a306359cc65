"""The in-memory fake has the same outcome as a real Kafka for every script."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.kafka import Broker
from runtime.fake_kafka.partition_log import PartitionLog
from runtime.fake_kafka.transactions import Producer, TransactionCoordinator
from tests.scenarios.fake_environment import FakeScriptEnvironment
from tests.scenarios.kafka_environment import KafkaScriptEnvironment
from tests.scenarios.random_script import draw_script
from tests.scenarios.runner import ScriptRunner
from tests.scenarios.script import SCRIPTS

SEEDS = range(1, 31)


@pytest.fixture
def kafka_environment(kafka: Broker, topic_prefix: str) -> Iterator[KafkaScriptEnvironment]:
    with closing(KafkaScriptEnvironment(kafka.bootstrap_servers, topic_prefix)) as environment:
        yield environment


class LenientCoordinator(TransactionCoordinator):
    """Lets zombies go on."""

    def _check(self, producer: Producer) -> None: ...


class LeakyLog(PartitionLog):
    """Shows read_committed readers the records after an open transaction."""

    @property
    def stable_end(self) -> int:
        return self.end


def played_by_the_twin(script: list[str]) -> list[str]:
    return ScriptRunner(FakeScriptEnvironment()).play(script)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_has_same_outcome_on_both(name: str, kafka_environment: KafkaScriptEnvironment) -> None:
    expected = played_by_the_twin(SCRIPTS[name])
    assert ScriptRunner(kafka_environment).play(SCRIPTS[name], expected) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_random_script_has_same_outcome_on_both(seed: int, kafka_environment: KafkaScriptEnvironment) -> None:
    script = draw_script(seed)
    expected = played_by_the_twin(script)
    assert ScriptRunner(kafka_environment).play(script, expected) == expected


def test_fake_without_fencing_is_found(kafka_environment: KafkaScriptEnvironment) -> None:
    script, drifted = SCRIPTS["a zombie that commits"], FakeScriptEnvironment()
    drifted.cluster.transactions = LenientCoordinator()
    assert ScriptRunner(drifted).play(script) != ScriptRunner(kafka_environment).play(script)


def test_fake_reading_past_open_transactions_is_found(kafka_environment: KafkaScriptEnvironment) -> None:
    script, drifted = SCRIPTS["transactions side by side"], FakeScriptEnvironment()
    runner = ScriptRunner(drifted)
    drifted.cluster.topic("topic-2").logs[:] = [LeakyLog()]
    assert runner.play(script) != ScriptRunner(kafka_environment).play(script)
