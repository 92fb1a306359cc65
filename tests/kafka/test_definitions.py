"""Links that change while clicks on them come in: versions, resets, definitions that are late or never come."""

from actions.repeat import Repeat, RepeatRule
from consumer.links.connect import connect_publisher
from consumer.links.link_reference import LinkReference
from consumer.links.published import WithdrawnVersion
from consumer.verify.reader import decode_update
from consumer.verify.update_record import TOPICS
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from schemas.topics import DEAD_LETTERS, LINK_DEFINITIONS
from tests.builders import Record, a_link, an_action
from tests.links.builders import SPRING, wants
from tests.links.builders import an_action as wants_action
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact, read
from tests.support.records import click_by
from tests.support.waiting import wait_until
from tests.support.worker import Worker


def test_each_click_is_decided_by_the_version_it_names(deployment: Deployment) -> None:
    first = an_action("SetField", value="first")
    deployment.define(a_link(first))
    worker = deployment.start("a")
    deployment.click(*clicks(version=1))
    deployment.wait_done()
    added = an_action("ChangeInterest", slot=1)
    deployment.define(a_link(first, added, version=2), a_link(first, added, version=3, epoch=1))
    deployment.define(a_link(version=4, epoch=1))
    deployment.click(*clicks(version=2), *clicks(version=1), *clicks(version=3), *clicks(version=1), *clicks(version=4))
    deployment.wait_done()

    assert_exact(deployment)
    assert updates_of(deployment, "set_field") == {1: 2, 3: 2}
    assert updates_of(deployment, "interest") == {2: 2, 3: 2}
    assert worker.is_running


def test_click_without_version_uses_newest(deployment: Deployment) -> None:
    worker = deployment.start("a").wait_ready()
    for version in (1, 2):
        define_and_wait(deployment, worker, a_link(an_action("RunScript", rule="always"), version=version))
        deployment.click(*clicks(version=None))
        deployment.wait_done()

    assert updates_of(deployment, "script") == {1: 2, 2: 2}


def test_definition_may_arrive_after_its_click(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField"), link_id="other"))
    worker = deployment.start_steered("a", {"records.1": "halt"}).wait_ready()
    deployment.click(click_by("r-1", "late"), click_by("r-1", "other"))
    worker.wait_event("point.reached")
    deployment.define(a_link(an_action("SetField"), link_id="late"))
    worker.go_on()
    deployment.wait_done()

    assert_exact(deployment)


def test_click_with_unavailable_version_becomes_dead_letter(deployment: Deployment) -> None:
    topic = deployment.topic(LINK_DEFINITIONS)
    for key, value in {b"acme/garbage/1": b"garbage", b"no key of ours": b"garbage", b"acme/gone/1": None}.items():
        deployment.publisher.publish(topic, value, key)
    deployment.define(a_link(an_action("SetField")))
    worker = deployment.start("a").wait_ready()
    unknown = [click_by("r-1", link_version=7), click_by("r-1", "unheard of"), click_by("r-1", "gone")]
    deployment.click(click_by("r-1"), *unknown, click_by("r-1", "garbage"), click_by("r-2"))
    deployment.wait_done()

    outcome = assert_exact(deployment, dead_letters=4)
    assert outcome.reasons == {"unknown_version": 3, "unreadable_definition": 1}
    assert len(worker.events("definition.ignored")) == 1


def test_withdrawn_version_restores_previous_one(
    deployment: Deployment,
) -> None:
    first, second = (an_action("RunScript", rule="always", slot=slot) for slot in (0, 1))
    deployment.define(a_link(first), a_link(first, second, version=2))
    for key, value in {b"acme/spring/2": None, b"acme/spring/9": None, b"acme/broken/1": b"garbage"}.items():
        deployment.publisher.publish(deployment.topic(LINK_DEFINITIONS), value, key)
    deployment.publisher.finish()
    deployment.start("a").wait_ready()
    deployment.click(*clicks(version=None), click_by("r-1", "broken", link_version=None))
    deployment.wait_done()
    assert updates_of(deployment, "script") == {1: 2}

    author = connect_publisher(
        Settings(bootstrap_servers=deployment.servers, topic_prefix=deployment.prefix),
        defined_by="anna",
        clock=SystemClock(),
    )
    broken = LinkReference("acme", "broken")
    again = wants_action("script", "c", repeat=Repeat(RepeatRule.ALWAYS), script="s")
    published = author.publish([wants(again), wants(again, reference=broken)])
    assert [(each.change, each.link.version) for each in published] == [("changed", 10), ("created", 2)]
    assert author.inspect(SPRING)[1] == [WithdrawnVersion(SPRING, 2), WithdrawnVersion(SPRING, 9)]
    # A click that names a version makes its worker read up to it.
    deployment.click(*clicks(version=10))
    deployment.wait_done()
    deployment.click(*clicks(version=None), click_by("r-1", "broken", link_version=None))
    deployment.wait_done()

    assert updates_of(deployment, "script") == {1: 2, 2: 1, 10: 4}
    (letter,) = read(deployment, DEAD_LETTERS)
    assert dict(letter.headers)["dlq.reason"] == b"unreadable_definition"


def clicks(version: int | None) -> list[Record]:
    return [click_by(recipient, link_version=version) for recipient in ("r-1", "r-2")]


def define_and_wait(deployment: Deployment, worker: Worker, link: Record) -> None:
    """Publish a version, and return once the worker has read it."""
    deployment.define(link)
    wait_until(lambda: worker.metrics()["definitions_read_total",] == len(deployment.links), "definition that was read")


def updates_of(deployment: Deployment, kind: str) -> dict[int, int]:
    """Return how many updates there are by link version."""
    versions = [decode_update(update)["link_version"] for update in read(deployment, TOPICS[kind])]
    return {version: versions.count(version) for version in sorted(set(versions))}
