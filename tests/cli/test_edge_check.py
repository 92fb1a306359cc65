"""`link-actions edge check` without a broker: settings, keyring and spool."""

import json
import os
from itertools import takewhile
from pathlib import Path

import pytest

from cli.app import execute
from cli.edge_check import check_descriptors, check_edge
from consumer.doctor.finding import Finding, exit_code_of, fine
from tests.cli.test_service_links import Service, environment_of
from tests.support.edge import KEYRING


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keyring = tmp_path / "keyring.yaml"
    keyring.touch(mode=0o600)
    keyring.write_text(KEYRING)
    monkeypatch.setenv("LINK_ACTIONS_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("LINK_ACTIONS_EDGE_KEYRING", str(keyring))
    monkeypatch.setenv("LINK_ACTIONS_EDGE_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("LINK_ACTIONS_EDGE_SPOOL_LIMIT", "128 MiB")
    return keyring


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in capsys.readouterr().out.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["subject"], []).append((finding["status"], finding["seen"]))
    return found


def test_sound_parts_are_ok(keyring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert keyring.exists()
    assert execute(["edge", "check", "--json"]) == 3
    found = findings(capsys)
    assert found["keyring"] == [("ok", "1 key signing")]
    assert found["spool"][0][0] == "ok"
    assert found["kafka"][0][0] == "fail"


def test_tenant_without_a_signing_key_is_a_warning(keyring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keyring.write_text(KEYRING.replace("state: signing", "state: valid"))
    execute(["edge", "check", "--json"])
    assert findings(capsys)["keyring"] == [("ok", "1 key valid"), ("warn", "no key signs for tenant acme")]


def test_unsafe_keyring_fails(keyring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keyring.chmod(0o644)
    assert execute(["edge", "check", "--json"]) == 2
    assert findings(capsys)["keyring"] == [("fail", f"{keyring} can be read by others")]


def test_wrong_settings_are_the_only_finding(keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keyring.exists()
    monkeypatch.setenv("LINK_ACTIONS_EDGE_SYNC", "never")
    assert execute(["edge", "check"]) == 2


def test_damaged_files_and_little_room_are_warnings(
    keyring: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keyring.parent / "spool/edge-1-1"
    folder.mkdir(parents=True)
    (folder / "000000000001.segment.damaged").touch()
    monkeypatch.setenv("LINK_ACTIONS_EDGE_SPOOL_LIMIT", "900000 TiB")
    execute(["edge", "check", "--json"])
    assert [status for status, _ in findings(capsys)["spool"]] == ["warn", "warn"]


def local_findings(subject: str) -> list[Finding]:
    """Those before the broker is asked, which takes seconds."""
    found = takewhile(lambda each: each.subject != "spool", check_edge(os.environ))
    return [each for each in found if each.subject == subject]


def test_hidden_setting_is_a_warning(keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keyring.exists()
    for name, value in environment_of(Service("link-actions-edge")).items():
        monkeypatch.setenv(name, value)
    assert any("LINK_ACTIONS_EDGE_PORT" in each.seen for each in local_findings("settings"))


@pytest.mark.parametrize(("descriptors", "status"), [(None, "ok"), (4_096, "ok"), (1_024, "warn")])
def test_few_connections_are_a_warning(descriptors: int | None, status: str) -> None:
    assert check_descriptors(descriptors).status == status


def test_run_warns_of_a_hidden_setting(
    keyring: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_ACTIONS_LOG_FORMAT", "json")
    monkeypatch.setenv("LINK_ACTIONS_EDGE_SPOOL_DIR", str(keyring))  # it ends at once: this is no folder
    for name, value in environment_of(Service("link-actions-edge")).items():
        monkeypatch.setenv(name, value)
    assert execute(["edge", "run"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [line["setting"] for line in lines if line["event"] == "setting.hidden"] == ["LINK_ACTIONS_EDGE_PORT"]


def test_networks_are_checked(keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keyring.with_name("networks.txt")
    monkeypatch.setenv("LINK_ACTIONS_EDGE_NETWORKS", str(path))
    path.write_text("192.0.2.0/24 hosting\n2001:db8::/32 isp\n")
    assert local_findings("networks") == [fine("networks", "2 networks with a class")]
    path.write_text("192.0.2.0/24 castle\n")
    (finding,) = local_findings("networks")
    assert "line 1" in finding.seen
    assert exit_code_of([finding]) == 2
