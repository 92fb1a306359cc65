"""A deployment with scripts: links that run them, clicks on those links, and the judge's verdict about the effects."""

import hashlib
import random
import time
from collections.abc import Iterator

from consumer.verify.reader import Seen, read_topic
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from schemas.topics import SCRIPT_DEFINITIONS, SCRIPT_RUNS, update_topic
from scripts.sandbox.run import DEFAULT_FUEL, ENGINE
from tests.builders import NOON, Record, a_link, an_action
from tests.scripts.judge import Verdict, judge
from tests.support.deployment import Deployment
from tests.support.records import click_by
from tests.support.worker import LINK_ACTIONS, Worker

SCRIPTS = (*LINK_ACTIONS, "scripts")
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


def define_scripts(deployment: Deployment) -> None:
    """Publish links and scripts."""
    deployment.define(*LINKS)
    codec = Codec(load_schemas()["ScriptDefined"])
    for (script, version), source in SOURCES.items():
        value = codec.encode(a_definition(script, version, source))
        key = f"acme/{script}/{version}".encode()
        deployment.publisher.publish(deployment.topic(SCRIPT_DEFINITIONS), value, key, partition=0)
    deployment.publisher.finish()


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


def kill_both_often(deployment: Deployment, *, count: int, kills: int, seed: int = 1) -> None:
    """Publish clicks in parts; in each, both kinds of worker start and are killed at a random moment."""
    chance, wanted = random.Random(seed), [*clicks(count, seed)]
    part = -(-count // kills)
    for begin in range(0, count, part):
        workers = deployment.start("clicks"), start_script_worker(deployment, "scripts")
        for each in workers:
            each.wait_ready()
        deployment.click(*wanted[begin : begin + part])
        time.sleep(0.5 * chance.random())
        for each in workers:
            each.kill()
    deployment.drain("clicks")
    drain_scripts(deployment)
