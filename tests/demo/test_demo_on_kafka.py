import os
import re
import signal
import subprocess
import sysconfig
from io import StringIO
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from rich.console import Console

from consumer.clock import SystemClock
from consumer.demo.environment import PARTITIONS, Environment, open_stage
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import make_sample
from consumer.demo.scenario import run_scenario
from consumer.verify.reader import read_topic
from deploy.kafka import Broker
from tests.support.patience import stretched

COMMAND = [str(Path(sysconfig.get_path("scripts"), "link-actions")), "demo"]
SIGINT_EXIT = 130
README = (Path(__file__).parents[2] / "README.md").read_text()
[README_BLOCK] = re.findall(r"<!-- demo -->\n```\n(.*?)```", README, re.DOTALL)
SERVERS = "LINK_ACTIONS_BOOTSTRAP_SERVERS"


def environment(broker: Broker, folder: Path) -> dict[str, str]:
    own = {SERVERS: broker.bootstrap_servers, "TMPDIR": str(folder), "COLUMNS": "100"}
    return {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")} | own


def topics_of_demos(broker: Broker) -> set[str]:
    topics = AdminClient({"bootstrap.servers": broker.bootstrap_servers}).list_topics(timeout=stretched(10)).topics
    return {topic for topic in topics if topic.startswith("demo-")}


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_whole_demo_is_exact_and_leaves_a_shared_broker_as_it_was(kafka: Broker, tmp_path: Path) -> None:
    before = topics_of_demos(kafka)
    shown = subprocess.run(
        [*COMMAND, "--clicks", "5000"], env=environment(kafka, tmp_path), capture_output=True, text=True, check=False
    )
    lines = shown.stdout.splitlines()

    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"[\d,]+ updates expected, [\d,]+ seen: 0 missing, 0 doubled. Exactly once.", lines[-1])
    assert f"Kafka at {kafka.bootstrap_servers}, named by {SERVERS}" in shown.stdout
    assert re.search(r"worker-2 \(process \d+\) killed with SIGKILL in the middle of a transaction", shown.stdout)
    assert re.search(r"worker-2 started again \(process \d+\)", shown.stdout)
    assert "both workers left with exit code 0" in shown.stdout
    assert max(map(len, lines[lines.index("What became of the clicks") :])) <= 100
    assert adds_up(shown.stdout)
    assert shapes(README_BLOCK) <= shapes(shown.stdout), "README.md shows another demo"
    assert str(tmp_path) not in shown.stdout, "it names a folder that is gone when it ends"
    assert topics_of_demos(kafka) == before
    assert list(tmp_path.iterdir()) == []


def shapes(shown: str) -> set[str]:
    """The lines without their figures."""
    return {" ".join(re.sub(r"[\d,.]+", "#", line).split()) for line in shown.splitlines()}


def adds_up(shown: str) -> bool:
    """Whether what the workers count and what was done before the kill is what the table has in all."""
    counted = re.findall(r"worker-\d counts ([\d,]+) records", shown)
    [(before, total)] = re.findall(r"with the ([\d,]+) that worker-2 had done before the kill: ([\d,]+) records", shown)
    [told] = re.findall(r"of its partitions ([\d,]+) records were done", shown)
    [in_all, *_] = re.findall(r"^in all +([\d,]+)", shown, re.MULTILINE)
    number = {text: int(text.replace(",", "")) for text in (*counted, before, total, in_all)}
    summed = sum(number[each] for each in counted) + number[before]
    return told == before and summed == number[total] == number[in_all]


def test_an_update_too_many_is_seen(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=StringIO(), width=100)
    sample = make_sample(2_000, seed=3, now=SystemClock().now_ms(), partitions=PARTITIONS)
    environ = environment(kafka, tmp_path)
    with open_stage(environ, ProgressReporter(console), keep=False) as stage:
        assert stage is not None
        summary = run_scenario(stage, sample, ProgressReporter(console), environ, before_check=repeat_an_update)

    assert not summary.findings.is_exact
    assert (len(summary.findings.verdict.doubled), len(summary.findings.verdict.missing)) == (1, 0)
    assert summary.as_json()["exact"] is False


def repeat_an_update(stage: Environment) -> None:
    """What a worker without transactions would do after a crash."""
    topic = stage.names.updates["set_field"]
    update = read_topic(stage.settings.bootstrap_servers, topic)[0]
    producer = Producer({"bootstrap.servers": stage.settings.bootstrap_servers})
    headers: list[tuple[str, str | bytes | None]] = [*update.headers]
    producer.produce(topic, update.value, update.key, update.partition, headers=headers)
    assert producer.flush(stretched(10)) == 0


def test_ctrl_c_leaves_nothing_running_and_nothing_behind(kafka: Broker, tmp_path: Path) -> None:
    before = topics_of_demos(kafka)
    demo = subprocess.Popen(COMMAND, env=environment(kafka, tmp_path), stdout=subprocess.PIPE, text=True)
    told = ""
    while demo.stdout is not None and "begin to flow" not in told:
        told += demo.stdout.readline()
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=stretched(60))
    workers = [int(process_id) for process_id in re.findall(r"worker-\d runs \(process (\d+)\)", told)]

    assert demo.returncode == SIGINT_EXIT
    assert "interrupted: what was started is stopped" in rest
    assert len(workers) == 2
    assert not any(map(is_running, workers))
    assert topics_of_demos(kafka) == before
    assert list(tmp_path.iterdir()) == []
