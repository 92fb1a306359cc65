"""Definitions that nobody should have published, and clicks that name the strangest links."""

import pytest
from structlog.testing import capture_logs

from consumer.decision.plan import NoPlan
from consumer.loop.definitions import Definitions
from consumer.memory_kafka.cluster import Draft
from consumer.state.memory import MemoryState
from schemas.bad_record import Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import encode_text
from tests.builders import Record, a_link, an_action
from tests.loop.house import FAR_AWAY, LINKS, House
from tests.loop.script import Script

SPRING = encode_text(b"acme") + encode_text(b"spring")


def caught_up(house: House) -> Definitions:
    definitions = house.wire("one", Script(), FAR_AWAY).definitions(MemoryState())
    definitions.catch_up(lambda: False)
    return definitions


@pytest.mark.parametrize("version", [b"9" * 25, b"9" * 5000, b"18446744073709551616", b"9223372036854775808"])
def test_a_version_that_no_click_can_name_is_passed_over(version: bytes) -> None:
    house = House()
    house.define(a_link(an_action()))
    house.cluster.append(house.names.definitions, 0, Draft(b"acme/spring/" + version, b""))
    plan = caught_up(house).find(SPRING, NO_VERSION)
    assert plan is not None
    assert len(plan.actions) == 1


@pytest.mark.parametrize("slot", [-1, 65_536, 2**31 - 1])
def test_a_slot_that_the_memory_has_no_room_for_makes_the_definition_unreadable(slot: int) -> None:
    house = House()
    house.define(a_link(an_action(slot=slot)))
    with pytest.raises(NoPlan) as raised:
        caught_up(house).find(SPRING, 1)
    assert raised.value.reason is Reason.UNREADABLE_DEFINITION


def test_a_definition_that_cannot_be_read_is_looked_at_once_until_it_is_published_anew() -> None:
    house = House()
    house.cluster.append(house.names.definitions, 0, Draft(b"acme/spring/1", b"no frame"))
    definitions = caught_up(house)
    with capture_logs() as logs:
        for version in (1, NO_VERSION) * 100:
            with pytest.raises(NoPlan) as raised:
                definitions.find(SPRING, version)
            assert raised.value.reason is Reason.UNREADABLE_DEFINITION
    assert len(logs) <= 2
    house.cluster.append(house.names.definitions, 0, Draft(b"acme/spring/1", LINKS.encode(a_link(an_action()))))
    definitions.follow()
    assert definitions.find(SPRING, 1) is not None
    assert definitions.find(SPRING, NO_VERSION) is not None


def test_links_of_enormous_names_that_nobody_defined_take_no_memory() -> None:
    definitions = caught_up(House())
    for number in range(10):
        key = encode_text(b"acme") + encode_text(b"%d" % number * 30_000)
        assert definitions.find(key, NO_VERSION) is None
    assert sum(len(key) for key, _ in definitions.ready) < 10_000


@pytest.mark.parametrize("changes", [{"tenant_id": "other"}, {"link_id": "summer"}, {"version": 2}])
def test_a_definition_under_the_key_of_another_is_no_definition_of_that_one(changes: Record) -> None:
    """Else clicks of one tenant would bring about updates of another, under ids and headers that belong to nobody."""
    house = House()
    house.cluster.append(
        house.names.definitions, 0, Draft(b"acme/spring/1", LINKS.encode(a_link(an_action(), **changes)))
    )
    with pytest.raises(NoPlan) as raised:
        caught_up(house).find(SPRING, 1)
    assert raised.value.reason is Reason.UNREADABLE_DEFINITION
