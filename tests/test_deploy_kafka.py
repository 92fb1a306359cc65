import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka import BENCHMARK, TEST, Broker, Kafka, KafkaMissing, KafkaProcess, start_kafka
from deploy.kafka.choice import BOOTSTRAP_SERVERS, first_available, tell_standard_error
from deploy.kafka.container import node_environment
from deploy.kafka.java import fetch_jars, find_java
from deploy.kafka.port import free_ports
from deploy.kafka.profile import KAFKA_VERSION
from tests.support.patience import stretched


def test_a_given_kafka_is_taken_and_left_running(tmp_path: Path) -> None:
    broker = start_kafka(tmp_path, environ={BOOTSTRAP_SERVERS: " kafka-1:9092,kafka-2:9092 "})

    assert broker == Kafka("kafka-1:9092,kafka-2:9092", source=BOOTSTRAP_SERVERS)
    assert broker.describe() == f"Kafka at kafka-1:9092,kafka-2:9092, named by {BOOTSTRAP_SERVERS}"
    broker.stop()
    assert list(tmp_path.iterdir()) == []


def test_the_first_source_that_has_a_kafka_wins() -> None:
    first, second = Kafka("a:1", "first"), Kafka("b:1", "second")
    told: list[str] = []

    assert first_available([missing("no Docker"), lambda: first, lambda: second], told.append) is first
    assert told == []


def test_missing_kafka_is_reported_in_one_sentence() -> None:
    told: list[str] = []

    assert first_available([missing("no Docker"), missing("no Java")], told.append) is None
    assert told == ["No Kafka is available: no Docker; no Java."]


def test_message_goes_to_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    first_available([missing("no Docker")], tell_standard_error)

    assert capsys.readouterr().err == "No Kafka is available: no Docker.\n"


def test_java_is_missed_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(KafkaMissing, match="no Java is installed"):
        find_java({"PATH": str(tmp_path)})


@pytest.mark.parametrize(("version", "is_enough"), [("1.8.0_392", False), ("16.0.2", False), ("17.0.9", True)])
def test_java_must_be_new_enough(tmp_path: Path, version: str, is_enough: bool) -> None:
    java = a_command(tmp_path / "java", f"echo 'openjdk version \"{version}\" 2023' >&2")

    if is_enough:
        assert find_java({"PATH": str(tmp_path)}) == java
    else:
        with pytest.raises(KafkaMissing, match="older than Java 17"):
            find_java({"PATH": str(tmp_path)})


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    java = a_command(tmp_path / "bin" / "java", "echo 'openjdk version \"21\"' >&2")

    assert find_java({"PATH": "/usr/bin", "JAVA_HOME": str(tmp_path)}) == java


def test_runs_at_the_same_time_fetch_the_jars_once(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    environ = a_maven(tmp_path, f'echo called >> {calls}; mkdir -p "$folder"; sleep 0.2; touch "$folder/kafka.jar"')

    with ThreadPoolExecutor() as runs:
        folders = set(runs.map(fetch_jars, repeat(environ, 4), repeat(tmp_path / "cache", 4)))

    assert [[jar.name for jar in folder.iterdir()] for folder in folders] == [["kafka.jar"]]
    assert calls.read_text() == "called\n"


def test_jars_half_fetched_are_fetched_again(tmp_path: Path) -> None:
    broken = a_maven(tmp_path, 'mkdir -p "$folder"; touch "$folder/half.jar"; echo "[ERROR] no network"; exit 1')
    with pytest.raises(KafkaMissing, match="no network"):
        fetch_jars(broken, tmp_path / "cache")

    mended = a_maven(tmp_path, 'mkdir -p "$folder"; touch "$folder/whole.jar"')
    assert [jar.name for jar in fetch_jars(mended, tmp_path / "cache").iterdir()] == ["whole.jar"]


def test_jars_that_are_there_need_no_maven(tmp_path: Path) -> None:
    (tmp_path / f"jars-{KAFKA_VERSION}").mkdir()

    assert fetch_jars({"PATH": ""}, tmp_path).is_dir()
    with pytest.raises(KafkaMissing, match="no Maven"):
        fetch_jars({"PATH": ""}, tmp_path / "elsewhere")


def test_the_pom_names_the_version_that_is_run() -> None:
    pom = Path(fetch_jars.__code__.co_filename).with_name("pom.xml").read_text()

    assert f"<kafka.version>{KAFKA_VERSION}</kafka.version>" in pom


def test_container_settings_are_environment_variables() -> None:
    environment = node_environment(TEST, advertised="docker-host:20123")

    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "CLIENTS://docker-host:20123,BROKERS://127.0.0.1:9093"
    assert environment["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "1"
    assert environment["KAFKA_HEAP_OPTS"] == "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    assert "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS" not in node_environment(BENCHMARK, advertised="docker-host:20123")


def test_ports_are_distinct_and_not_ephemeral() -> None:
    ports = free_ports(3)

    assert len(set(ports)) == 3
    assert all(1024 < port < 32_768 for port in ports)


def test_a_child_dies_with_its_parent() -> None:
    orphan_maker = """
        import os, subprocess
        from deploy.kafka.lifeline import Lifeline
        Lifeline(subprocess.Popen(["sleep", "600"]).pid)
        os._exit(0)
    """
    # The orphan would hold standard output open and so keep this call from returning.
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(orphan_maker)], capture_output=True, timeout=stretched(30), check=True
    )


@pytest.mark.kafka
def test_the_broker_of_the_run_takes_and_gives_records(kafka: Broker, topic_prefix: str) -> None:
    create_topic(kafka, f"{topic_prefix}clicks")
    produce(kafka, f"{topic_prefix}clicks", b"one")

    assert consume_one(kafka, f"{topic_prefix}clicks") == b"one"
    assert kafka.bootstrap_servers in kafka.describe()


@pytest.mark.kafka
def test_description_names_no_temporary_folder(kafka_process: KafkaProcess) -> None:
    assert str(kafka_process.log_path.parent) not in kafka_process.describe()


@pytest.mark.kafka
def test_records_outlive_a_kill_and_a_stop(kafka_process: KafkaProcess, topic_prefix: str) -> None:
    topic = f"{topic_prefix}clicks"
    create_topic(kafka_process, topic)
    produce(kafka_process, topic, b"one")

    kafka_process.kill()
    kafka_process.start()
    assert consume_one(kafka_process, topic) == b"one"

    kafka_process.stop()
    kafka_process.stop()
    kafka_process.start()
    assert consume_one(kafka_process, topic) == b"one"


@pytest.mark.kafka
def test_paused_broker_is_silent_until_resumed(kafka_process: KafkaProcess) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_process.bootstrap_servers, "log_level": 0})
    kafka_process.pause()
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=1)

    kafka_process.resume()
    assert admin.list_topics(timeout=stretched(30)).brokers


@pytest.mark.kafka
def test_failed_broker_start_reports_log(kafka_process: KafkaProcess) -> None:
    """The log itself is deleted with its folder together with a demo or a benchmark."""
    kafka_process.stop()
    settings = kafka_process.log_path.with_name("server.properties")
    settings.write_text(settings.read_text() + "process.roles=nonsense\n")

    with pytest.raises(KafkaMissing, match=r"ended before it answered; its log says: .*nonsense") as told:
        kafka_process.start()
    assert str(kafka_process.log_path.parent) not in str(told.value)


def missing(what: str) -> Callable[[], Broker]:
    def source() -> Broker:
        raise KafkaMissing(what)

    return source


def a_command(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def a_maven(directory: Path, script: str) -> dict[str, str]:
    a_command(directory / "mvn", f'for folder; do :; done; folder="${{folder#-DoutputDirectory=}}"; {script}')
    return {"PATH": f"{directory}:/usr/bin:/bin"}


def create_topic(broker: Broker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(timeout=stretched(30))


def produce(broker: Broker, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    producer.produce(topic, value)
    assert producer.flush(stretched(30)) == 0


def consume_one(broker: Broker, topic: str) -> bytes | None:
    settings = {"bootstrap.servers": broker.bootstrap_servers, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings | {"enable.auto.commit": False})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(stretched(30))
        return message.value() if message is not None else None
    finally:
        consumer.close()
