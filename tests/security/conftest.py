"""One broker with authentication and ACLs for all these tests, and certificates for its clients."""

import os
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from deploy.kafka import KafkaMissing
from deploy.kafka.locked import BrokerKeys, start_locked
from runtime.kafka.admin.acls import Role
from tests.conftest import KAFKA_LOGS, do_without_kafka
from tests.security.certificates import LOOPBACK, Authority
from tests.security.environment import USERS, KafkaEnvironment
from tests.security.job import Job
from tests.security.visitor import DONE_SECONDS, assert_good
from tests.support.patience import stretched
from tests.support.planted import MARK
from tests.support.waiting import wait_until


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[KafkaEnvironment]:
    folder = tmp_path_factory.mktemp("locked")
    authority, stranger = Authority(folder / "ours", "authority"), Authority(folder / "theirs", "stranger")
    keys = BrokerKeys(
        authority.issue("broker", address=LOOPBACK).both,
        authority.issue("another", address="127.0.0.9").both,
        authority.ca,
    )
    try:
        kafka = start_locked(folder / "kafka", keys, environ=os.environ)
    except KafkaMissing as reason:
        do_without_kafka(pytestconfig, f"Cannot start a Kafka process: {reason}.")
    pytestconfig.stash[KAFKA_LOGS].append(kafka.process.log_path)
    yield KafkaEnvironment(kafka, authority, stranger, AdminClient({"bootstrap.servers": kafka.plain}))
    kafka.process.kill()


@pytest.fixture(scope="session")
def users(environment: KafkaEnvironment) -> Mapping[Role, str]:
    """Create a user without rights for each role; the edge uses SCRAM-SHA-256, the others SCRAM-SHA-512."""
    for role, password in USERS.items():
        mechanism = ScramMechanism.SCRAM_SHA_256 if role is Role.EDGE else ScramMechanism.SCRAM_SHA_512
        user = UserScramCredentialUpsertion(role.value, ScramCredentialInfo(mechanism, 4096), password.encode())
        for future in environment.admin.alter_user_scram_credentials([user]).values():
            future.result(timeout=stretched(DONE_SECONDS))
    return USERS


@pytest.fixture(scope="session")
def job(environment: KafkaEnvironment, users: Mapping[Role, str], tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Return the whole job: each role has a user with exactly the rights that `acls` prints."""
    job = Job(environment, users, tmp_path_factory.mktemp("job"))
    for role in Role:
        job.grant(role)
    # The plain listener answers before the others, and the broker applies new ACLs with a delay.
    wait_until(lambda: job.say(Role.EDGE, "doctor", "--role", Role.EDGE).code == 0, "listener", timeout=DONE_SECONDS)
    return job


@pytest.fixture(scope="session")
def done(job: Job) -> Job:
    """Return the job after each role has done its part once."""
    assert_good(job.say(Role.ADMINISTRATOR, "topics", "create", "--partitions", "2"))
    assert_good(job.say(Role.AUTHOR, "links", "publish", str(job.links)))
    assert_good(job.publish_click(f"{MARK}-0"))
    worker = job.work("--drain")
    assert worker.wait_exit() == 0, worker.log
    return job
