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

from consumer.demo.environment import PARTITIONS, Environment, open_environment
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import make_sample
from consumer.demo.scenario import run_scenario
from consumer.verify.reader import read_topic
from deploy.kafka import Broker
from runtime.clock import SystemClock
from tests.support.patience import stretched

COMMAND = [str(Path(sysconfig.get_path("scripts"), "link-actions")), "demo"]
SIGINT_EXIT = 130
README = (Path(__file__).parents[2] / "README.md").read_text()
[README_BLOCK] = re.findall(r"<!-- demo -->\n```\n(.*?)```", README, re.DOTALL)
SERVERS = "LINK_ACTIONS_BOOTSTRAP_SERVERS"


def environ_of(broker: Broker, folder: Path) -> dict[str, str]:
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


def test_demo_is_exact_and_cleans_up_a_shared_broker(kafka: Broker, tmp_path: Path) -> None:
    before = topics_of_demos(kafka)
    shown = subprocess.run(
        [*COMMAND, "--clicks", "5000"], env=environ_of(kafka, tmp_path), capture_output=True, text=True, check=False
    )
    lines = shown.stdout.splitlines()

    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"[\d,]+ updates expected, [\d,]+ seen: 0 missing, 0 doubled. Exactly once.", lines[-1])
    assert f"Kafka at {kafka.bootstrap_servers}, named by {SERVERS}" in shown.stdout
    assert re.search(r"worker-2 \(process \d+\) killed with SIGKILL in the middle of a transaction", shown.stdout)
    assert re.search(r"worker-2 restarted \(process \d+\)", shown.stdout)
    assert re.search(
        r"edge \(process \d+\) killed with SIGKILL after \d+ answers over HTTP, then restarted; 500 clicks answered",
        shown.stdout,
    )
    assert "both workers exited with code 0" in shown.stdout
    assert max(map(len, lines[lines.index("Clicks by outcome") :])) <= 100
    assert adds_up(shown.stdout)
    assert shapes(README_BLOCK) <= shapes(shown.stdout), "README.md shows another output"
    assert str(tmp_path) not in shown.stdout, "it names a folder that it removes"
    assert topics_of_demos(kafka) == before
    assert list(tmp_path.iterdir()) == []


def shapes(shown: str) -> set[str]:
    """Return the lines without their figures."""
    return {" ".join(re.sub(r"[\d,.]+", "#", line).split()) for line in shown.splitlines()}


def adds_up(shown: str) -> bool:
    """Return whether the workers' counts and the records processed before the kill add up to the table's total."""
    counted = re.findall(r"worker-\d counted ([\d,]+) records", shown)
    [(before, total)] = re.findall(
        r"plus the ([\d,]+) that worker-2 had processed before the kill: ([\d,]+) records", shown
    )
    [processed] = re.findall(r"its partitions had ([\d,]+) processed", shown)
    [in_all, *_] = re.findall(r"^total +([\d,]+)", shown, re.MULTILINE)
    number = {text: int(text.replace(",", "")) for text in (*counted, before, total, in_all)}
    summed = sum(number[each] for each in counted) + number[before]
    return processed == before and summed == number[total] == number[in_all]


def test_repeated_update_is_found(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=StringIO(), width=100)
    sample = make_sample(2_000, seed=3, now_ms=SystemClock().now_ms(), partitions=PARTITIONS)
    environ = environ_of(kafka, tmp_path)
    with open_environment(environ, ProgressReporter(console), keep=False) as environment:
        assert environment is not None
        summary = run_scenario(environment, sample, ProgressReporter(console), environ, before_check=repeat_an_update)

    assert not summary.findings.is_exact
    assert (len(summary.findings.comparison.doubled), len(summary.findings.comparison.missing)) == (1, 0)
    assert summary.as_json()["exact"] is False


def repeat_an_update(environment: Environment) -> None:
    """Repeat an update, as a worker without transactions would after a crash."""
    topic = environment.names.updates["set_field"]
    update = read_topic(environment.settings.bootstrap_servers, topic)[0]
    producer = Producer({"bootstrap.servers": environment.settings.bootstrap_servers})
    headers: list[tuple[str, str | bytes | None]] = [*update.headers]
    producer.produce(topic, update.value, update.key, update.partition, headers=headers)
    assert producer.flush(stretched(10)) == 0


def test_ctrl_c_stops_and_removes_everything(kafka: Broker, tmp_path: Path) -> None:
    before = topics_of_demos(kafka)
    demo = subprocess.Popen(COMMAND, env=environ_of(kafka, tmp_path), stdout=subprocess.PIPE, text=True)
    printed = ""
    while demo.stdout is not None and "clicks of 12 days" not in printed:
        printed += demo.stdout.readline()
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=stretched(60))
    workers = [int(process_id) for process_id in re.findall(r"worker-\d runs \(process (\d+)\)", printed)]

    assert demo.returncode == SIGINT_EXIT
    assert "interrupted: the demo's processes are stopped" in rest
    assert len(workers) == 2
    assert not any(map(is_running, workers))
    assert topics_of_demos(kafka) == before
    assert list(tmp_path.iterdir()) == []
