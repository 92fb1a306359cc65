"""Link definitions while the worker runs: followed, stored on disk, plans cached within a bound."""

import pytest

from consumer.decision.plan import LinkPlan, NoPlan
from consumer.loop.plan_cache import MAX_READY, PlanCache
from runtime.definitions.follower import DEFINITIONS
from runtime.fake_kafka.cluster import Draft
from runtime.ports import RetriableError
from runtime.state.in_memory import MemoryState
from schemas.bad_record import Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import encode_text
from tests.builders import a_link, an_action
from tests.loop.fake_environment import FakeEnvironment
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

SPRING = encode_text(b"acme") + encode_text(b"spring")
PLAIN = a_link(an_action())


def opened(environment: FakeEnvironment, state: MemoryState | None = None, script: Script | None = None) -> PlanCache:
    return environment.open_plans(state, script)


def caught_up(environment: FakeEnvironment, state: MemoryState | None = None) -> PlanCache:
    plans = opened(environment, state)
    plans.definitions.catch_up(lambda: False)
    return plans


def actions_of(plan: LinkPlan | None) -> list[str]:
    assert plan is not None
    return [action.action.action_id for action in plan.actions]


def test_named_version_is_found() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN, a_link(an_action(slot=1), version=2), a_link(an_action(slot=2), version=3))
    plans = caught_up(environment)
    assert actions_of(plans.find(SPRING, 2)) == ["action-1"]
    assert actions_of(plans.find(SPRING, 1)) == ["action-0"]


def test_newest_version_is_found_in_any_order() -> None:
    environment = FakeEnvironment()
    environment.define(*(a_link(an_action(slot=version), version=version) for version in (2, 10, 9)))
    assert actions_of(caught_up(environment).find(SPRING, NO_VERSION)) == ["action-10"]


def test_undefined_link_has_no_plan() -> None:
    plans = caught_up(FakeEnvironment())
    assert plans.find(SPRING, NO_VERSION) is None
    with pytest.raises(NoPlan) as raised:
        plans.find(SPRING, 1)
    assert raised.value.reason is Reason.UNKNOWN_VERSION


def test_links_are_separate_by_tenant() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(), tenant_id="other"))
    assert caught_up(environment).find(SPRING, NO_VERSION) is None


def test_link_id_may_contain_slashes() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action(), link_id="a/b/1"))
    key = encode_text(b"acme") + encode_text(b"a/b/1")
    assert actions_of(caught_up(environment).find(key, 1)) == ["action-0"]


def test_new_version_replaces_the_ready_plan() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN)
    plans = caught_up(environment)
    assert actions_of(plans.find(SPRING, NO_VERSION)) == ["action-0"]
    environment.define(a_link(an_action(slot=1), version=2))
    assert plans.definitions.follow() == 1
    assert (SPRING, NO_VERSION) not in plans.ready
    assert actions_of(plans.find(SPRING, NO_VERSION)) == ["action-1"]
    assert actions_of(plans.find(SPRING, 1)) == ["action-0"]


def test_link_defined_later_is_found() -> None:
    environment = FakeEnvironment()
    plans = caught_up(environment)
    assert plans.find(SPRING, NO_VERSION) is None
    assert plans.ready == {(SPRING, NO_VERSION): None}
    environment.define(PLAIN)
    plans.definitions.follow()
    assert actions_of(plans.find(SPRING, NO_VERSION)) == ["action-0"]


def test_deleted_link_keeps_its_actions() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN, a_link(an_action(), version=2, status="deleted"))
    assert actions_of(caught_up(environment).find(SPRING, NO_VERSION)) == ["action-0"]


def test_reset_link_has_new_dedupe_keys_and_the_same_hits() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN, a_link(an_action(), version=2, epoch=1))
    plans = caught_up(environment)
    before, after = plans.find(SPRING, 1), plans.find(SPRING, 2)
    assert before is not None
    assert after is not None
    assert before.digest != after.digest
    assert before.hits_key == after.hits_key
    assert (before.epoch, after.epoch) == (0, 1)


def test_version_without_actions_stops_the_link() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN, a_link(version=2))
    assert actions_of(caught_up(environment).find(SPRING, NO_VERSION)) == []


@pytest.mark.parametrize("value", [b"", b"no frame", b"\xc3\x01 unknown schema", None])
def test_unreadable_definition_gives_dead_letters(value: bytes | None) -> None:
    environment = FakeEnvironment()
    environment.cluster.append(environment.names.definitions, 0, Draft(b"acme/spring/1", value))
    with pytest.raises(NoPlan) as raised:
        caught_up(environment).find(SPRING, 1)
    expected = Reason.UNKNOWN_VERSION if value is None else Reason.UNREADABLE_DEFINITION
    assert raised.value.reason is expected


@pytest.mark.parametrize("key", [None, b"", b"acme", b"acme/spring", b"acme/spring/", b"acme/spring/x", b"/spring/1"])
def test_definition_with_wrong_key_is_skipped(key: bytes | None) -> None:
    environment = FakeEnvironment()
    environment.cluster.append(environment.names.definitions, 0, Draft(key, b"anything"))
    environment.define(PLAIN)
    assert actions_of(caught_up(environment).find(SPRING, NO_VERSION)) == ["action-0"]


def test_definitions_on_disk_are_not_read_again() -> None:
    environment, state = FakeEnvironment(), MemoryState()
    environment.define(PLAIN)
    caught_up(environment, state)
    again = opened(environment, state)
    assert again.definitions.follow() == 0
    assert actions_of(again.find(SPRING, 1)) == ["action-0"]


def test_recreated_topic_resets_the_disk() -> None:
    environment, state = FakeEnvironment(), MemoryState()
    environment.define(PLAIN)
    caught_up(environment, state)
    environment.cluster.create_topic(environment.names.definitions, 1)
    assert caught_up(environment, state).find(SPRING, NO_VERSION) is None


def test_disk_ahead_of_the_topic_is_reset() -> None:
    environment, state = FakeEnvironment(), MemoryState()
    topic = environment.cluster.topic(environment.names.definitions)
    state.open(DEFINITIONS, f"{environment.cluster.cluster_id}/{topic.topic_id}").write({}, 1_000)
    environment.define(PLAIN)
    assert actions_of(caught_up(environment, state).find(SPRING, 1)) == ["action-0"]


def test_catch_up_reads_to_the_end_at_its_start() -> None:
    environment = FakeEnvironment()
    environment.define(*(a_link(an_action(), version=version) for version in range(1, 30)))
    plans = opened(environment)
    plans.definitions.catch_up(lambda: False)
    assert actions_of(plans.find(SPRING, 29)) == ["action-0"]
    assert environment.clock.monotonic() == 0


def test_catch_up_waits_for_open_transaction_until_given_up() -> None:
    environment = FakeEnvironment()
    environment.leave_open(environment.names.definitions, 0, b"acme/spring/1", b"")
    plans = opened(environment)
    plans.definitions.catch_up(lambda: environment.clock.monotonic() > 2)
    assert 2 < environment.clock.monotonic() < 3


def test_full_disk_loses_no_definition() -> None:
    environment, state = FakeEnvironment(), ScriptedState()
    environment.define(PLAIN)
    plans = opened(environment, state)
    state.script = Script.at_every("store.write", Happening(before=raising(RetriableError("disk full"))), times=1)
    with pytest.raises(RetriableError):
        plans.definitions.follow()
    environment.define(a_link(an_action(slot=1), version=2))
    plans.definitions.follow()
    assert actions_of(plans.find(SPRING, 1)) == ["action-0"]
    assert actions_of(plans.find(SPRING, NO_VERSION)) == ["action-1"]


def test_ready_plans_are_bounded() -> None:
    environment = FakeEnvironment()
    environment.define(*(a_link(link_id=f"l-{number}") for number in range(50)))
    plans = caught_up(environment)
    assert plans.ready == {}
    for number in range(MAX_READY + 10):
        plans.find(encode_text(b"acme") + encode_text(b"never-defined-%d" % number), NO_VERSION)
    assert len(plans.ready) <= MAX_READY


def test_mapping_of_ready_plans_is_never_emptied() -> None:
    environment = FakeEnvironment()
    environment.define(PLAIN)
    plans = caught_up(environment)
    plans.find(SPRING, NO_VERSION)
    plans.find(SPRING, 1)
    before = plans.ready

    environment.define(a_link(an_action(slot=1), version=2))
    plans.definitions.catch_up(lambda: False)

    assert set(before) == {(SPRING, NO_VERSION), (SPRING, 1)}
    assert set(plans.ready) == {(SPRING, 1)}
