"""Readiness while the loop waits or loses partitions, and pauses between retries."""

from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.monitoring.health import Readiness
from runtime.ports import RetriableError
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import GROUP, LINKS, FakeEnvironment, Worker
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState


def environment_with_links(partitions: int = 3) -> FakeEnvironment:
    environment = FakeEnvironment(partitions)
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(20)))
    return environment


def readiness(worker: Worker) -> Readiness:
    return worker.observer._health.ready()


def test_partition_revoked_while_restoring_keeps_worker_ready() -> None:
    environment = environment_with_links(partitions=1)
    environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 1)
    assert readiness(worker).restoring
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)

    def give_all_to_another() -> None:
        environment.expire_all_members()
        FakeTransactionalConsumer(
            environment.cluster, environment.names.clicks, group_id=GROUP, transactional_id="other"
        ).consume(1, 0)

    started = environment.clock.monotonic()
    environment.clock.at(started + 1, give_all_to_another)
    worker.run(lambda: environment.clock.monotonic() > started + 20)
    assert readiness(worker).assigned == ()
    assert readiness(worker).ready


def test_worker_is_alive_while_it_waits_for_definitions() -> None:
    environment = environment_with_links()
    environment.leave_open(environment.names.definitions, 0, b"acme/spring/7", b"")
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 100)
    assert worker.observer._health.live().alive


def test_no_click_is_decided_before_definitions_are_read() -> None:
    environment = FakeEnvironment(partitions=1)
    author = environment.leave_open(
        environment.names.definitions, 0, b"acme/spring/1", LINKS.encode(a_link(an_action()))
    )
    environment.click(a_click())
    started = environment.clock.monotonic()
    environment.clock.at(started + 1, lambda: environment.cluster.transactions.commit(author))
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > started + 5)
    assert len(environment.read(environment.names.update("interest"))) == 1


def test_full_disk_is_retried_with_pauses() -> None:
    environment = environment_with_links()
    Worker(environment, ScriptedState()).run()
    script = Script.at_every("store.write", Happening(before=raising(RetriableError("disk full"))), times=40)
    started = environment.clock.monotonic()
    worker = Worker(environment, ScriptedState(), script=script, linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > started + 10)
    assert script.calls.count("consumer.reinit_producer") < 30
