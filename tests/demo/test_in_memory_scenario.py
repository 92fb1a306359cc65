import json
import os
import subprocess
import sysconfig
from pathlib import Path

COMMAND = [str(Path(sysconfig.get_path("scripts"), "link-actions")), "demo"]


def without_kafka(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    return {
        **kept,
        "PATH": str(folder),
        "JAVA_HOME": str(folder),
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "TMPDIR": str(folder),
    }


def test_demo_without_kafka_runs_in_memory(tmp_path: Path) -> None:
    command = [*COMMAND, "--clicks", "3000", "--seed", "5", "--json"]
    shown = subprocess.run(command, env=without_kafka(tmp_path), capture_output=True, text=True, check=False)
    result = json.loads(shown.stdout)

    assert shown.returncode == 0
    assert "No Kafka is available: " in shown.stderr
    assert "worker-2 crashed in the middle of a transaction" in shown.stderr
    assert (result["exact"], result["seed"], result["killed"]) == (True, 5, None)
    assert result["updates"]["missing"] == result["updates"]["doubled"] == 0
    assert result["updates"]["never_committed"] > 0
    assert [sentence.split(" (")[0] for sentence in result["not_shown"]] == [
        "a real broker",
        "a kill",
        "the edge",
        "several processes",
    ]
    assert list(tmp_path.iterdir()) == []


def test_unreachable_broker_is_one_sentence_and_exit_3(tmp_path: Path) -> None:
    environ = without_kafka(tmp_path) | {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    shown = subprocess.run([*COMMAND, "--clicks", "1000"], env=environ, capture_output=True, text=True, check=False)

    assert shown.returncode == 3
    assert shown.stderr.startswith("link-actions: No Kafka broker answers at 127.0.0.1:1")
    assert shown.stderr.count("\n") == 1


def test_invalid_setting_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    environ = without_kafka(tmp_path) | {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "a b"}
    shown = subprocess.run([*COMMAND, "--clicks", "1000"], env=environ, capture_output=True, text=True, check=False)

    assert shown.returncode == 2
    assert shown.stderr.startswith("link-actions: LINK_ACTIONS_BOOTSTRAP_SERVERS is wrong")
    assert list(tmp_path.iterdir()) == []


def test_serving_without_kafka_says_what_to_install(tmp_path: Path) -> None:
    shown = subprocess.run(
        [*COMMAND, "--serve"], env=without_kafka(tmp_path), capture_output=True, text=True, check=False
    )

    assert (shown.returncode, list(tmp_path.iterdir())) == (3, [])
    assert "install Docker, or Java 17 with Maven" in shown.stderr
