"""The ACLs that `acls` prints suffice for the whole job, and each of them is necessary."""

import shlex
from itertools import count

import pytest
from confluent_kafka import Consumer

from runtime.kafka.admin.acls import Acl, Role
from runtime.kafka.errors import Resource
from runtime.kafka.shell_commands import SERVERS
from schemas.topics import LINK_HITS, SCRIPT_DEFINITIONS, update_topic
from tests.security.job import PREFIX, SUBSCRIBER_GROUP, Job, rights
from tests.security.visitor import Said, assert_good, grant, revoke, rules_in
from tests.support.planted import MARK
from tests.support.waiting import wait_until

UNAVAILABLE = 3

NUMBERS = count()


def test_printed_acls_are_sufficient(done: Job) -> None:
    updates = done.say(Role.SUBSCRIBER, "updates", "tail", "--from-beginning", "--until-end", "--json")
    assert_good(updates)
    assert updates.out.count(f'"recipient_id": "{MARK}-0"') == 1
    assert_good(done.say(Role.OPERATOR, "dlq", "list"))
    assert_good(done.say(Role.AUTHOR, "links", "list"))


@pytest.mark.parametrize("role", Role)
def test_doctor_accepts_every_role(done: Job, role: Role) -> None:
    assert_good(done.say(role, "doctor", "--role", role))


def test_subscriber_group_needs_its_printed_acl(done: Job) -> None:
    consumer = Consumer({
        **done.visitor(Role.SUBSCRIBER).properties,
        "bootstrap.servers": done.environment.kafka.sasl,
        "group.id": SUBSCRIBER_GROUP,
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    consumer.subscribe([PREFIX + update_topic("set_field")])
    message = wait_until(lambda: consumer.poll(0.5), "update")
    consumer.close()

    assert message is not None
    assert message.error() is None


REMOVED = [
    pytest.param(role, right, id=f"{role} without {right}")
    for role in Role
    for right in rights(role)
    if right.name != SUBSCRIBER_GROUP  # used by subscribers only
    if role is not Role.ADMINISTRATOR or right.name.endswith(LINK_HITS)  # the same three for every topic
]


@pytest.mark.parametrize(("role", "right"), REMOVED)
def test_each_missing_acl_is_named(done: Job, role: Role, right: Acl) -> None:
    (rule,) = rules_in([shlex.join(right.arguments(f"User:{role}"))])
    revoke(done.environment.admin, rule)
    try:
        said = wait_until(lambda: refused(done, role, right), f"refusal that names {right}")
    finally:
        grant(done.environment.admin, [rule])

    assert said is not None
    text = said.out + said.err + said.sentence
    assert "Traceback" not in text
    assert f"this user may not {right}" in text
    assert f"kafka-acls.sh {SERVERS} {shlex.join(right.arguments('User:NAME'))}" in text


@pytest.mark.parametrize(
    "right",
    [each for each in rights(Role.WORKER) if "set-field" in each.name or each.resource is not Resource.TOPIC],
    ids=str,
)
def test_worker_that_loses_a_right_ends_and_names_it(done: Job, right: Acl) -> None:
    worker = done.work().wait_ready()
    (rule,) = rules_in([shlex.join(right.arguments("User:worker"))])
    revoke(done.environment.admin, rule)
    try:
        assert_good(done.publish_click(f"{MARK}-late-{next(NUMBERS)}"))
        code = worker.wait_exit()
    finally:
        grant(done.environment.admin, [rule])
        worker.kill()

    assert code == UNAVAILABLE, worker.log
    assert f"this user may not {right}; grant it" in worker.last_words


def refused(job: Job, role: Role, right: Acl) -> Said | None:
    """Do the work that needs this ACL; the broker applies changes with a delay."""
    said = attempt(job, role, right)
    return said if said.code == UNAVAILABLE else None


def attempt(job: Job, role: Role, right: Acl) -> Said:
    if role is Role.EDGE:
        return job.publish_click(f"{MARK}-more-{next(NUMBERS)}")
    if right.resource is Resource.TRANSACTIONAL_ID and role is Role.WORKER:
        worker = job.work("--drain")
        return Said(worker.wait_exit(), "", worker.last_words)
    if right.resource is Resource.TRANSACTIONAL_ID and role is Role.SCRIPTS:
        return job.say(role, "scripts", "run", "--drain")
    if right.name.endswith(SCRIPT_DEFINITIONS) and role is Role.AUTHOR:
        job.source.write_text(job.source.read_text() + ";")
        return job.say(role, "scripts", "publish", str(job.scripts))
    if role is Role.AUTHOR:
        job.links.write_text(job.links.read_text().replace("Spring", "Spring!", 1))
    return job.say(role, *DUTIES.get(role, ("doctor", "--role", role)), *([str(job.links)] * (role is Role.AUTHOR)))


DUTIES = {
    Role.WORKER: ("run", "--drain"),
    Role.AUTHOR: ("links", "publish"),
    Role.SUBSCRIBER: ("updates", "tail", "--until-end"),
    Role.OPERATOR: ("dlq", "list"),
}
