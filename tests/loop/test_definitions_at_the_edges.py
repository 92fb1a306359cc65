"""Invalid definitions, withdrawn versions, and clicks on unusual links."""

import pytest
from structlog.testing import capture_logs

from consumer.decision.plan import NoPlan
from consumer.loop.plan_cache import PlanCache
from runtime.fake_kafka.cluster import Draft
from schemas.bad_record import Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import encode_text
from tests.builders import Record, a_link, an_action
from tests.loop.fake_environment import LINKS, FakeEnvironment

SPRING = encode_text(b"acme") + encode_text(b"spring")


def caught_up(environment: FakeEnvironment) -> PlanCache:
    plans = environment.open_plans()
    plans.definitions.catch_up(lambda: False)
    return plans


@pytest.mark.parametrize("version", [b"9" * 25, b"9" * 5000, b"18446744073709551616", b"9223372036854775808"])
def test_version_out_of_range_is_skipped(version: bytes) -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/" + version, b""))
    plan = caught_up(environment).find(SPRING, NO_VERSION)
    assert plan is not None
    assert len(plan.actions) == 1


@pytest.mark.parametrize("slot", [-1, 65_536, 2**31 - 1])
def test_slot_out_of_range_makes_definition_unreadable(slot: int) -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(slot=slot)))
    with pytest.raises(NoPlan) as raised:
        caught_up(environment).find(SPRING, 1)
    assert raised.value.reason is Reason.UNREADABLE_DEFINITION


def test_unreadable_definition_is_decoded_once() -> None:
    environment = FakeEnvironment()
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/1", b"no frame"))
    plans = caught_up(environment)
    with capture_logs() as logs:
        for version in (1, NO_VERSION) * 100:
            with pytest.raises(NoPlan) as raised:
                plans.find(SPRING, version)
            assert raised.value.reason is Reason.UNREADABLE_DEFINITION
    assert len(logs) <= 2
    value = LINKS.encode(a_link(an_action()))
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/1", value))
    plans.definitions.follow()
    assert plans.find(SPRING, 1) is not None
    assert plans.find(SPRING, NO_VERSION) is not None


def defined(environment: FakeEnvironment, *links: Record) -> None:
    """Publish under keys that `FakeEnvironment.define` would not write."""
    for link in links:
        key = f"{link['tenant_id']}/{link['link_id']}/{link['version']}".encode()
        environment.cluster.append(environment.names.definitions, 0, Draft(key, LINKS.encode(link)))


def withdraw(environment: FakeEnvironment, version: int) -> None:
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/%d" % version, None))


def newest_slot(plans: PlanCache) -> int:
    plan = plans.find(SPRING, NO_VERSION)
    assert plan is not None
    return plan.actions[0].action.slot


def test_withdrawn_version_restores_the_previous_one() -> None:
    environment = FakeEnvironment()
    environment.define(*(a_link(an_action(slot=version), version=version) for version in (1, 2)))
    plans = caught_up(environment)
    assert newest_slot(plans) == 2
    withdraw(environment, 2)
    plans.definitions.follow()
    assert newest_slot(plans) == 1
    with pytest.raises(NoPlan) as raised:
        plans.find(SPRING, 2)
    assert raised.value.reason is Reason.UNKNOWN_VERSION


def test_tombstone_of_unknown_version_changes_nothing() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(slot=8), version=8))
    withdraw(environment, 9)
    assert newest_slot(caught_up(environment)) == 8


def test_link_with_all_versions_withdrawn_is_undefined() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    withdraw(environment, 1)
    assert caught_up(environment).find(SPRING, NO_VERSION) is None


def test_version_after_a_withdrawn_one_is_the_newest() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(slot=1)))
    withdraw(environment, 9)
    environment.define(a_link(an_action(slot=10), version=10))
    assert newest_slot(caught_up(environment)) == 10


@pytest.mark.parametrize("gap", [2, 63, 64, 65, 1_023, 1_024, 1_025, 2**62])
def test_withdrawn_version_may_be_far_above_the_newest(gap: int) -> None:
    environment = FakeEnvironment()
    defined(environment, a_link(an_action(slot=1)), a_link(an_action(slot=2), version=2), a_link(version=2 + gap))
    withdraw(environment, 2 + gap)
    assert newest_slot(caught_up(environment)) == 2


def test_unreadable_newest_version_is_not_replaced() -> None:
    """The previous version may do what its author has just removed; a dead letter can be replayed."""
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/2", b"no frame"))
    with pytest.raises(NoPlan, match="publish the link again, then replay the dead letters") as raised:
        caught_up(environment).find(SPRING, NO_VERSION)
    assert raised.value.reason is Reason.UNREADABLE_DEFINITION


def test_second_spelling_of_a_version_is_skipped() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(slot=2), version=2))
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/02", b"no frame"))
    assert newest_slot(caught_up(environment)) == 2


def test_undefined_links_with_huge_names_are_not_cached() -> None:
    plans = caught_up(FakeEnvironment())
    for number in range(10):
        key = encode_text(b"acme") + encode_text(b"%d" % number * 30_000)
        assert plans.find(key, NO_VERSION) is None
    assert sum(len(key) for key, _ in plans.ready) < 10_000


@pytest.mark.parametrize("changes", [{"tenant_id": "other"}, {"link_id": "summer"}, {"version": 2}])
def test_definition_under_wrong_key_is_unreadable(changes: Record) -> None:
    """Otherwise clicks of one tenant would cause updates of another, with wrong ids and headers."""
    environment = FakeEnvironment()
    environment.cluster.append(
        environment.names.definitions, 0, Draft(b"acme/spring/1", LINKS.encode(a_link(an_action(), **changes)))
    )
    with pytest.raises(NoPlan) as raised:
        caught_up(environment).find(SPRING, 1)
    assert raised.value.reason is Reason.UNREADABLE_DEFINITION
