"""A draining worker ends once the group has processed everything that was there at its start."""

from schemas.identity import partition_of
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model
from tests.loop.fake_environment import CLICKS, GROUP, FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState


def environment_with_links(clicks: int = 10) -> FakeEnvironment:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(clicks)))
    return environment


def require_all_done(environment: FakeEnvironment) -> None:
    verdict = compare_updates(environment, expected_model(environment, set()))
    assert verdict.is_exact, str(verdict)


def test_empty_topic_drains_at_once() -> None:
    environment = FakeEnvironment()
    Worker(environment, ScriptedState()).run()
    assert environment.clock.monotonic() < 1


def test_trailing_control_records_are_committed() -> None:
    environment = environment_with_links()
    transactions, (key, value, partition) = environment.cluster.transactions, a_late_click(environment)
    transactions.commit(environment.leave_open(environment.names.clicks, partition, key, value))
    transactions.abort(environment.leave_open(environment.names.clicks, 0, key, value))
    worker = Worker(environment, ScriptedState())
    worker.run()
    require_all_done(environment)
    assert worker.counts.consumed == 11
    logs = environment.cluster.topic(environment.names.clicks).logs
    group = environment.cluster.group(GROUP, environment.names.clicks)
    assert [group.committed(partition) for partition in range(len(logs))] == [log.end for log in logs]


def a_late_click(environment: FakeEnvironment) -> tuple[bytes, bytes, int]:
    """Return key, value and partition."""
    key = b"acme/late"
    return key, CLICKS.encode(a_click(1_000, recipient_id="late")), partition_of(key, environment.partitions)


def test_constant_clicks_do_not_prevent_the_end() -> None:
    environment = environment_with_links()
    coming = iter(range(1_000, 100_000))

    def click_again() -> None:
        environment.click(a_click(next(coming), recipient_id="somebody busy"))

    script = Script.at_every("consumer.consume", Happening(before=click_again))
    worker = Worker(environment, ScriptedState(), script=script)
    worker.run()
    assert worker.counts.consumed >= 10


def test_drain_includes_copies_of_rerouted_clicks() -> None:
    environment = environment_with_links(0)
    click = a_click(1, recipient_id="astray")
    right = partition_of(b"acme/astray", environment.partitions)
    environment.click(click, partition=(right + 1) % environment.partitions)
    worker = Worker(environment, ScriptedState())
    worker.run()
    require_all_done(environment)
    assert worker.counts.clicks == {"rerouted": 1, "applied": 1}


def test_drain_waits_for_open_transaction() -> None:
    environment = environment_with_links()
    key, value, partition = a_late_click(environment)
    producer = environment.leave_open(environment.names.clicks, partition, key, value)
    environment.clock.at(4.0, lambda: environment.cluster.transactions.commit(producer))
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1)
    worker.run()
    require_all_done(environment)
    assert worker.counts.consumed == 11


def test_drain_ends_beside_an_idle_member() -> None:
    environment = environment_with_links()
    Worker(environment, ScriptedState(), name="first").run()
    beside = Worker(environment, ScriptedState(), name="stays", linger_seconds=0.1, drain=False)
    worker = Worker(environment, ScriptedState(), name="drains", linger_seconds=0.1)
    beside.stream.consume(1, 0)
    worker.run()
    assert worker.counts.consumed == 0


def test_drain_waits_for_partitions_of_other_members() -> None:
    environment = environment_with_links()
    beside = Worker(environment, ScriptedState(), name="slow", linger_seconds=0.1, drain=False)
    beside.stream.consume(1, 0)
    worker = Worker(environment, ScriptedState(), name="drains", linger_seconds=0.1)
    beside.stream.consume(1, 0)
    environment.clock.at(7.0, environment.expire_all_members)
    worker.run()
    require_all_done(environment)
    assert environment.clock.monotonic() >= 7
