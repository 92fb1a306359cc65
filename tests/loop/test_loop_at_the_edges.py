"""What the loop tells while it waits, what is left of a partition that goes, and how often it tries in vain."""

from consumer.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from consumer.loop.pace import LingerPolicy
from consumer.monitoring.health import Readiness
from consumer.ports import RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import GROUP, LINKS, House, Worker
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState

RUN = LingerPolicy(0.1)


def a_house(partitions: int = 3) -> House:
    house = House(partitions)
    house.define(a_link(an_action()))
    house.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(20)))
    return house


def readiness(worker: Worker) -> Readiness:
    return worker.observer._health.ready()


def test_a_partition_that_is_taken_while_it_is_restored_does_not_keep_the_worker_from_being_ready() -> None:
    house = a_house(partitions=1)
    house.leave_open(house.names.changelog, 0, b"key", b"value")
    worker = Worker(house, ScriptedState(), pace=RUN)
    worker.run(lambda: house.clock.monotonic() > 1)
    assert readiness(worker).restoring
    worker = Worker(house, ScriptedState(), pace=RUN)

    def give_all_to_another() -> None:
        house.put_out_everyone()
        FakeTransactionalConsumer(house.cluster, house.names.clicks, group_id=GROUP, transactional_id="other").consume(
            1, 0
        )

    started = house.clock.monotonic()
    house.clock.at(started + 1, give_all_to_another)
    worker.run(lambda: house.clock.monotonic() > started + 20)
    assert readiness(worker).assigned == ()
    assert readiness(worker).ready


def test_a_worker_that_waits_for_the_definitions_lives() -> None:
    house = a_house()
    house.leave_open(house.names.definitions, 0, b"acme/spring/7", b"")
    worker = Worker(house, ScriptedState(), pace=RUN)
    worker.run(lambda: house.clock.monotonic() > 100)
    assert worker.observer._health.live().alive


def test_no_click_is_decided_before_the_definitions_are_read_to_their_end() -> None:
    house = House(partitions=1)
    author = house.leave_open(house.names.definitions, 0, b"acme/spring/1", LINKS.encode(a_link(an_action())))
    house.click(a_click())
    started = house.clock.monotonic()
    house.clock.at(started + 1, lambda: house.cluster.transactions.commit(author))
    worker = Worker(house, ScriptedState(), pace=RUN)
    worker.run(lambda: house.clock.monotonic() > started + 5)
    assert len(house.read(house.names.update("interest"))) == 1


def test_a_disk_that_stays_full_is_not_tried_without_a_pause() -> None:
    house = a_house()
    Worker(house, ScriptedState()).run()
    script = Script.at_every("store.write", Happening(before=raising(RetriableError("disk full"))), times=40)
    started = house.clock.monotonic()
    worker = Worker(house, ScriptedState(), script=script, pace=RUN)
    worker.run(lambda: house.clock.monotonic() > started + 10)
    assert script.calls.count("stream.renew") < 30
