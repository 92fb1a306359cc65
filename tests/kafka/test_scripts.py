"""Clicks on links with scripts, through both workers on a real Kafka, which are killed meanwhile."""

import hashlib
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.verify.reader import Seen, read_topic
from deploy.kafka import Broker
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from schemas.topics import SCRIPT_DEAD_LETTERS, SCRIPT_DEFINITIONS, SCRIPT_RUNS, update_topic
from scripts.sandbox.run import DEFAULT_FUEL, ENGINE
from tests.builders import NOON, Record, a_link, an_action
from tests.scripts.judge import Verdict, judge
from tests.support.deployment import Deployment
from tests.support.records import click_by
from tests.support.waiting import wait_until
from tests.support.worker import LINK_ACTIONS, Worker

pytestmark = pytest.mark.kafka

SCRIPTS = (*LINK_ACTIONS, "scripts")
CLICKS = 600
KILLS = 3
SOURCES = {
    ("on-click", 1): """
emit({kind: "set_field", field: "last_link", value: linkId + ":" + shipmentId});
if (parameters.score) emit({id: "score", kind: "set_field", field: "score", value: parameters.score});
""",
    ("broken", 1): "if (custId.endsWith('7')) throw 1; emit({kind: 'set_field', field: 'a', value: 'b'});",
}


def run_script(script: str, **parameters: str) -> Record:
    """The parameters of an action that runs a script."""
    return an_action("RunScript", rule="always", script=script, script_version=1, parameters=parameters)


LINKS = (
    a_link(run_script("on-click", score="5"), link_id="scored"),
    a_link(run_script("on-click"), link_id="plain"),
    a_link(run_script("broken"), link_id="half-broken"),
)


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(*LINKS)
    codec = Codec(load_schemas()["ScriptDefined"])
    for (script, version), source in SOURCES.items():
        value = codec.encode(a_definition(script, version, source))
        key = f"acme/{script}/{version}".encode()
        deployment.publisher.publish(deployment.topic(SCRIPT_DEFINITIONS), value, key, partition=0)
    deployment.publisher.finish()
    yield deployment
    deployment.close()


def a_definition(script: str, version: int, source: str) -> Record:
    return {
        "tenant_id": "acme",
        "script_id": script,
        "version": version,
        "source": source,
        "sha256": hashlib.sha256(source.encode()).hexdigest(),
        "engine": ENGINE,
        "emits": ["set_field"],
        "hosts": [],
        "fuel": DEFAULT_FUEL,
        "memory": 16 << 20,
        "examples": [],
        "defined_at": NOON,
        "defined_by": "tests",
    }


def clicks(count: int, seed: int = 1) -> Iterator[Record]:
    chance = random.Random(seed)
    for number in range(count):
        recipient = f"r-{chance.randrange(count // 3)}"
        link = chance.choice(LINKS)["link_id"]
        yield click_by(recipient, link, person_id=f"p-{number}", clicked_at=NOON + 1_000 * number)


def read(deployment: Deployment, topic: str) -> list[Seen]:
    return read_topic(deployment.servers, deployment.topic(topic))


def verdict_of(deployment: Deployment) -> Verdict:
    effects = read(deployment, update_topic("set_field"))
    return judge(read(deployment, update_topic("script")), read(deployment, SCRIPT_RUNS), effects, SOURCES)


def start_script_worker(deployment: Deployment, name: str, *arguments: str) -> Worker:
    return deployment.start(name, *arguments, program=SCRIPTS)


def drain_scripts(deployment: Deployment) -> None:
    worker = start_script_worker(deployment, "last-scripts", "--drain")
    assert worker.wait_exit(timeout=60) == 0, worker.log


def test_effects_are_exact_although_both_workers_are_killed(deployment: Deployment) -> None:
    chance = random.Random(1)
    wanted = [*clicks(CLICKS)]
    for begin in range(0, CLICKS, CLICKS // KILLS):
        workers = deployment.start("clicks"), start_script_worker(deployment, "scripts")
        for each in workers:
            each.wait_ready()
        deployment.click(*wanted[begin : begin + CLICKS // KILLS])
        time.sleep(0.5 * chance.random())
        for each in workers:
            each.kill()
    deployment.drain("clicks")
    drain_scripts(deployment)
    verdict = verdict_of(deployment)
    assert verdict.is_exact, (str(verdict), [*verdict.missing][:3], [*verdict.surplus][:3])
    assert verdict.expected > CLICKS / 2
    letters = read(deployment, SCRIPT_DEAD_LETTERS)
    assert letters
    assert {dict(each.headers)["dlq.reason"] for each in letters} <= {b"thrown", b"script_disabled"}


def test_several_processes_share_the_partitions_and_end_on_sigterm(deployment: Deployment) -> None:
    workers = start_script_worker(deployment, "several", "--workers", "2")
    wait_until(lambda: len(workers.assigned()) == deployment.partitions, "all partitions")
    deployment.click(*clicks(60))
    deployment.drain("clicks")
    wait_until(lambda: len(read(deployment, SCRIPT_RUNS)) == 60, "all runs")
    workers.send(signal.SIGTERM)
    assert workers.wait_exit() == 0
    assert verdict_of(deployment).is_exact
