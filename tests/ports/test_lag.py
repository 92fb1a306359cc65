"""How far behind the group is, and whether it has this worker, as the broker tells."""

from tests.ports.environment import SLICE_SECONDS, Environment, Poller, assigned, poll_until


def test_group_lag_counts_uncommitted_records(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a", "b", "c")
    poller = assigned(environment, topic)
    stream = poller.stream
    assert stream.group_lag([0, 1]) == {0: 3, 1: 0}
    stream.begin_transaction()
    stream.commit_transaction({0: 2})
    # A broker ends a transaction, and then writes so beside the offsets.
    poll_until(lambda: stream.group_lag([0, 1]) == {0: 1, 1: 0}, poller)
    assert stream.group_lag([1]) == {1: 0}


def test_group_lag_counts_open_transactions(environment: Environment) -> None:
    topic = environment.create_topic()
    poller = assigned(environment, topic)
    poller.resume_assigned()
    transaction = environment.leave_open(topic, 1, "a")
    poll_until(lambda: poller.stream.group_lag([0, 1]) == {0: 0, 1: 1}, poller)
    transaction.abort()


def test_worker_without_partitions_becomes_a_member(environment: Environment) -> None:
    topic = environment.create_topic(1)
    first, second = Poller(environment.open_stream(topic, "one")), Poller(environment.open_stream(topic, "two"))
    assert not first.stream.is_member
    poll_until(lambda: first.stream.is_member and first.assigned == {0}, first)
    second.stream.consume(1, SLICE_SECONDS)

    def is_member() -> bool:
        second.stream.group_lag([])
        return second.stream.is_member and first.stream.is_member

    poll_until(is_member, first, second)
    assert first.assigned | second.assigned == {0}
