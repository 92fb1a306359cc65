import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.registry_double import RegistryDouble, running_registry
from cli.app import execute
from consumer.doctor.cluster import check_brokers, check_rights, check_topics, without
from consumer.doctor.finding import Finding, Status, exit_code_of, failure, fine, warning
from consumer.doctor.local import (
    check_backend,
    check_core,
    check_descriptors,
    check_properties,
    check_registry,
    check_settings,
    check_state,
)
from runtime.config.environment import load_settings
from runtime.errors import ExitCode
from runtime.kafka.admin.acls import Acl, Operation, Role
from runtime.kafka.admin.topics import Cleanup, TopicState, compare_topics, topic_specs
from runtime.kafka.backend import CONFLUENT_KAFKA, LIBRDKAFKA
from runtime.kafka.errors import Resource
from runtime.kafka.shell_commands import SERVERS
from runtime.records.implementation import PYTHON, C
from schemas.topics import TopicNames

NAMES = TopicNames("", "group", ("set_field",))


class Room(NamedTuple):
    """What `shutil.disk_usage` returns."""

    total: int
    used: int
    free: int


@pytest.fixture
def double() -> Iterator[RegistryDouble]:
    with running_registry() as double:
        yield double


def statuses(findings: Iterator[Finding]) -> list[Status]:
    return [finding.status for finding in findings]


def test_exit_code_of_wrong_settings_comes_first() -> None:
    assert exit_code_of([fine("a", "x"), warning("b", "x", "y")]) == 0
    assert exit_code_of([fine("a", "x"), failure("b", "x; y")]) == 3
    assert exit_code_of([failure("b", "x; y"), failure("a", "x", ExitCode.USAGE)]) == 2


def test_failure_separates_problem_and_fix() -> None:
    finding = failure("a", "it is broken; fix it; now")

    assert (finding.seen, finding.fix) == ("it is broken", "fix it; now")


def test_each_wrong_setting_is_a_finding() -> None:
    settings, findings = check_settings({"LINK_ACTIONS_HTTP_PORT": "x"})

    assert settings is None
    assert [finding.status for finding in findings] == [Status.OK, Status.FAIL, Status.FAIL]
    assert exit_code_of(findings) == 2


def test_core_is_reported_and_never_a_failure() -> None:
    findings = [check_core(C), check_core(PYTHON)]

    assert [finding.seen.split(";")[0] for finding in findings] == ["compiled", "pure Python"]
    assert exit_code_of(findings) == 0


def test_backend_is_reported_and_never_a_failure() -> None:
    findings = [check_backend(LIBRDKAFKA), check_backend(CONFLUENT_KAFKA)]

    assert [finding.seen.split(";")[0] for finding in findings] == [
        "librdkafka, called directly",
        "confluent_kafka",
    ]
    assert exit_code_of(findings) == 0


def test_missing_state_folder_is_not_created(tmp_path: Path) -> None:
    assert statuses(check_state([tmp_path / "a" / "b"])) in ([Status.OK], [Status.WARN])
    assert list(tmp_path.iterdir()) == []


def test_unwritable_state_folder_is_a_usage_error() -> None:
    (finding,) = check_state([Path("/proc/state")])

    assert finding.status is Status.FAIL
    assert finding.exit_code is ExitCode.USAGE
    assert "LINK_ACTIONS_STATE_DIR" in finding.fix


def test_full_disk_is_a_failure_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, status in ((0, Status.FAIL), (10 * 2**20, Status.FAIL), (100 * 2**20, Status.WARN), (2**33, Status.OK)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Room(2**34, 2**34 - free, free))
        (finding,) = check_state([tmp_path])
        assert finding.status is status
        assert status is Status.OK or "free some space" in finding.fix
    assert exit_code_of(check_state([Path("/proc/state"), tmp_path])) == 2


def test_too_few_descriptors_are_reported() -> None:
    findings = [check_descriptors(limit, partitions=12, brokers=3) for limit in (64, 256, 1_048_576, None)]

    assert [finding.status for finding in findings] == [Status.FAIL, Status.WARN, Status.OK, Status.OK]
    assert "ulimit -n" in findings[0].fix
    assert exit_code_of(findings) == 2


def test_worker_only_property_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    findings = []
    for line in ("consumer.fetch.wait.max.ms=5", "consumer.fetch.wait.max.seconds=5"):
        file.write_text(f"{line}\n")
        environ = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "LINK_ACTIONS_KAFKA_CONFIG": str(file)}
        findings.append(check_properties(load_settings(environ)))

    assert [finding.status for finding in findings] == [Status.OK, Status.FAIL]
    assert exit_code_of(findings) == 2


def test_registry_is_queried_for_clicks(double: RegistryDouble) -> None:
    assert statuses(check_registry(None, "clicks")) == [Status.OK]
    assert statuses(check_registry(double.url, "clicks")) == [Status.WARN]
    double.register("clicks-value", '{"type": "record", "name": "A", "fields": []}')
    assert statuses(check_registry(double.url, "clicks")) == [Status.OK]
    assert statuses(check_registry("http://127.0.0.1:1", "clicks")) == [Status.FAIL]


def test_broker_version_is_reported_as_far_as_known() -> None:
    (new,) = check_brokers({"group.coordinator.rebalance.protocols": "classic,consumer"})
    (old,) = check_brokers({"num.partitions": "1"})
    (hidden,) = check_brokers({})

    assert "4.0 or newer" in new.seen
    assert "older than 4.0" in old.seen
    assert "does not show" in hidden.seen


def test_topic_auto_creation_is_a_warning() -> None:
    findings = check_brokers({"auto.create.topics.enable": "true"})

    assert statuses(findings) == [Status.OK, Status.WARN]


def test_each_topic_is_a_finding() -> None:
    good = {spec.name: TopicState(spec.partitions or 4, frozenset({spec.cleanup})) for spec in topic_specs(NAMES)}
    bad = good | {NAMES.hits: TopicState(2, frozenset({Cleanup.DELETE}))}
    del bad[NAMES.definitions]

    assert statuses(check_topics(compare_topics(NAMES, good), NAMES)) == [Status.OK]
    assert statuses(check_topics(compare_topics(NAMES, bad), NAMES)) == [Status.FAIL] * 3


def test_missing_right_is_a_failure_with_the_grant() -> None:
    lacking = Acl(Operation.WRITE, Resource.TRANSACTIONAL_ID, "group-", is_prefix=True)
    (finding,) = check_rights(Role.WORKER, [lacking])

    assert finding.status is Status.FAIL
    assert finding.seen == "The broker refuses: this user may not Write on transactional-id group-*"
    assert finding.fix == (
        f"grant it: kafka-acls.sh {SERVERS} --add --allow-principal User:NAME --operation Write"
        " --transactional-id group- --resource-pattern-type prefixed"
    )
    assert statuses(check_rights(Role.WORKER, [])) == [Status.OK]


def test_hidden_topic_is_not_called_missing() -> None:
    report = compare_topics(NAMES, {})

    assert NAMES.clicks in report.missing
    assert NAMES.clicks not in without({NAMES.clicks}, report).missing


def test_wrong_settings_are_shown_as_table_or_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_ACTIONS_GRUP_ID", "x")

    assert execute(["doctor"]) == 2
    assert "did you mean LINK_ACTIONS_GROUP_ID?" in capsys.readouterr().out
    assert execute(["doctor", "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == ["ok", "fail", "fail"]
    assert set(lines[0]) == {"subject", "status", "seen", "fix"}
