"""Secrets are read from files, re-read when these change, and never shown."""

from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from cryptography.hazmat.primitives import serialization

from bench.registry_double import running_registry
from runtime.kafka.admin.acls import Role
from tests.security.job import Job
from tests.security.visitor import DONE_SECONDS, Visitor, grant, rules_in
from tests.support.patience import stretched
from tests.support.planted import MARK, leaks_in, leaks_of
from tests.support.waiting import wait_until
from tests.support.worker import Worker

ROTATING = "rotating"


@pytest.fixture
def rotating(done: Job, tmp_path: Path) -> Visitor:
    """Return a worker in a separate group, with a separate user and password file."""
    set_password(done.environment.admin, f"{MARK}-old")
    (tmp_path / "password").write_text(f"{MARK}-old\n")
    visitor = done.visitor(Role.WORKER)
    named = {"sasl.username": ROTATING, "sasl.password": f"${{directory:{tmp_path}:password}}"}
    visitor = replace(visitor, folder=tmp_path, properties={**visitor.properties, **named})
    grant(
        done.environment.admin,
        rules_in(visitor.say("acls", "worker", "--principal", f"User:{ROTATING}").out.splitlines()),
    )
    return visitor


def test_running_worker_uses_the_new_password(done: Job, rotating: Visitor) -> None:
    worker = Worker(rotating.environ(), rotating.folder / "worker.log", "run").wait_ready()
    try:
        set_password(done.environment.admin, f"{MARK}-new")
        wait_until(lambda: "_AUTHENTICATION" in worker.log, "refusal of the old password")
        (rotating.folder / "password").write_text(f"{MARK}-new\n")
        worker.wait_event("credentials.renewed")
        before = consumed(worker)
        done.publish_click(f"{MARK}-after-the-change")
        wait_until(lambda: consumed(worker) > before, lambda: f"click; {worker.log[-3000:]}", timeout=60)
    finally:
        worker.kill()


def test_no_secret_is_shown_at_debug_level(done: Job, rotating: Visitor, tmp_path: Path) -> None:
    password = f"{MARK}-of-the-key"
    certificate = done.environment.authority.issue("debugging")
    encrypt(certificate.key, password)
    loud = {
        **rotating.properties,
        "debug": "all",
        "ssl.certificate.location": str(certificate.certificate),
        "ssl.key.location": str(certificate.key),
        "ssl.key.password": password,
    }
    with running_registry() as registry:
        settings = {
            **rotating.settings,
            "LINK_ACTIONS_LOG_LEVEL": "debug",
            "LINK_ACTIONS_SCHEMA_REGISTRY_URL": registry.url.replace("://", f"://user:{MARK}-of-registry@"),
        }
        visitor = replace(rotating, settings=settings, properties=loud)
        worker = Worker(visitor.environ(), tmp_path / "worker.log", "run").wait_ready()
        for page in ("/livez", "/readyz", "/nothing"):
            worker.probe(page)
        worker.metrics()
        arguments = Path(f"/proc/{worker.process_id}/cmdline").read_text()
        said = [visitor.say(*words) for words in (("doctor",), ("acls",), ("topics", "create"), ("run", "--help"))]
        said.append(replace(visitor, properties={**loud, "sasl.password": f"{MARK}-wrong"}).say("topics", "create"))
        worker.kill()

    assert '"level": "debug"' in said[-1].err  # the library had its say
    assert not [*leaks_in(tmp_path), *leaks_of("arguments", arguments)]
    assert not [leak for each in said for leak in leaks_of("output", each.out + each.err)]


def test_invalid_setting_next_to_a_secret_does_not_show_it(rotating: Visitor) -> None:
    wrong = {**rotating.properties, "sasl.password": f"{MARK}-x", "ssl.key.pem": f"{MARK}-y", "no.such.thing": MARK}
    said = replace(rotating, properties=wrong).say("doctor")

    assert said.code == 2
    assert not list(leaks_of("output", said.out + said.err))


def set_password(admin: AdminClient, password: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    user = UserScramCredentialUpsertion(ROTATING, info, password.encode())
    for future in admin.alter_user_scram_credentials([user]).values():
        future.result(timeout=stretched(DONE_SECONDS))


def encrypt(key: Path, password: str) -> None:
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    hidden = serialization.BestAvailableEncryption(password.encode())
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden))


def consumed(worker: Worker) -> float:
    return sum(value for name, value in worker.metrics().items() if name[0] == "records_consumed_total")
