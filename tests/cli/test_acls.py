import json

import pytest

from cli.app import execute
from runtime.kafka.admin.acls import Role


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", "localhost:1")
    monkeypatch.setenv("LINK_ACTIONS_TOPIC_PREFIX", "staging.")


def test_acls_follow_from_settings_without_a_broker(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["acls", "edge", "author", "--json"]) == 0
    rights = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(each["role"], each["operation"], each["resource"], each["name"]) for each in rights] == [
        ("edge", "Write", "topic", "staging.link.clicks.v1"),
        ("edge", "Write", "topic", "staging.link.forms.v1"),
        ("edge", "Read", "topic", "staging.link.definitions.v1"),
        ("edge", "Read", "topic", "staging.link.return-urls.v1"),
        ("author", "Read", "topic", "staging.link.definitions.v1"),
        ("author", "Read", "topic", "staging.script.definitions.v1"),
        ("author", "Write", "topic", "staging.link.definitions.v1"),
        ("author", "Write", "topic", "staging.script.definitions.v1"),
        ("author", "Write", "transactional-id", "staging.link-definitions"),
    ]


def test_every_role_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["acls"]) == 0
    table = capsys.readouterr().out
    assert {role for role in Role if f"\n{role} " in table} == set(Role)


def test_principal_gets_kafka_acls_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(["acls", "subscriber", "--principal", "User:CN=crm, O=x", "--subscriber-group", "crm"]) == 0
    *_, group = capsys.readouterr().out.splitlines()
    assert group == "--add --allow-principal 'User:CN=crm, O=x' --operation Read --group crm"


def test_a_principal_must_come_with_one_role(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["acls", "--principal", "User:worker"]) == 2
    assert "run for example link-actions acls worker --principal User:worker" in capsys.readouterr().err
