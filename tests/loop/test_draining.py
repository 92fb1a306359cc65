"""A draining worker ends by itself, once all that was there at its start is done, by whomever."""

from consumer.loop.pace import LingerPolicy
from schemas.identity import partition_of
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import judge_updates, what_must_be
from tests.loop.fake_environment import CLICKS, GROUP, House, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState


def a_house(clicks: int = 10) -> House:
    house = House()
    house.define(a_link(an_action()))
    house.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(clicks)))
    return house


def require_all_done(house: House) -> None:
    verdict = judge_updates(house, what_must_be(house, set()))
    assert verdict.is_exact, str(verdict)


def test_nothing_to_do_is_done_at_once() -> None:
    house = House()
    Worker(house, ScriptedState()).run()
    assert house.clock.monotonic() < 1


def test_control_records_at_the_end_of_a_partition_are_no_work() -> None:
    house = a_house()
    transactions, (key, value, partition) = house.cluster.transactions, a_late_click(house)
    transactions.commit(house.leave_open(house.names.clicks, partition, key, value))
    transactions.abort(house.leave_open(house.names.clicks, 0, key, value))
    worker = Worker(house, ScriptedState())
    worker.run()
    require_all_done(house)
    assert worker.counts.consumed == 11
    logs = house.cluster.topic(house.names.clicks).logs
    group = house.cluster.group(GROUP, house.names.clicks)
    assert [group.committed(partition) for partition in range(len(logs))] == [log.end for log in logs]


def a_late_click(house: House) -> tuple[bytes, bytes, int]:
    """Return key, value and partition."""
    key = b"acme/late"
    return key, CLICKS.encode(a_click(1_000, recipient_id="late")), partition_of(key, house.partitions)


def test_clicks_that_keep_coming_do_not_keep_it() -> None:
    house = a_house()
    coming = iter(range(1_000, 100_000))

    def click_again() -> None:
        house.click(a_click(next(coming), recipient_id="somebody busy"))

    script = Script.at_every("stream.consume", Happening(before=click_again))
    worker = Worker(house, ScriptedState(), script=script)
    worker.run()
    assert worker.counts.consumed >= 10


def test_a_click_that_was_sent_on_is_done_before_it_ends() -> None:
    house = a_house(0)
    click = a_click(1, recipient_id="astray")
    right = partition_of(b"acme/astray", house.partitions)
    house.click(click, partition=(right + 1) % house.partitions)
    worker = Worker(house, ScriptedState())
    worker.run()
    require_all_done(house)
    assert worker.counts.clicks == {"rerouted": 1, "applied": 1}


def test_an_open_transaction_among_the_clicks_is_waited_for() -> None:
    house = a_house()
    key, value, partition = a_late_click(house)
    producer = house.leave_open(house.names.clicks, partition, key, value)
    house.clock.at(4.0, lambda: house.cluster.transactions.commit(producer))
    worker = Worker(house, ScriptedState(), pace=LingerPolicy(0.1, drain=True))
    worker.run()
    require_all_done(house)
    assert worker.counts.consumed == 11


def test_it_ends_beside_a_member_that_has_done_its_part_and_stays() -> None:
    house = a_house()
    Worker(house, ScriptedState(), name="first").run()
    beside = Worker(house, ScriptedState(), name="stays", pace=LingerPolicy(0.1))
    worker = Worker(house, ScriptedState(), name="drains", pace=LingerPolicy(0.1, drain=True))
    beside.stream.consume(1, 0)
    worker.run()
    assert worker.counts.consumed == 0


def test_it_waits_for_what_a_member_beside_it_has_not_done_yet() -> None:
    house = a_house()
    beside = Worker(house, ScriptedState(), name="slow", pace=LingerPolicy(0.1))
    beside.stream.consume(1, 0)
    worker = Worker(house, ScriptedState(), name="drains", pace=LingerPolicy(0.1, drain=True))
    beside.stream.consume(1, 0)
    house.clock.at(7.0, house.put_out_everyone)
    worker.run()
    require_all_done(house)
    assert house.clock.monotonic() >= 7
