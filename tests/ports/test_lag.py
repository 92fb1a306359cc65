"""How far behind the group is, and whether it has this worker, as the broker tells."""

from tests.ports.ground import SLICE_SECONDS, Ground, Turner, assigned, turn_until


def test_group_lag_counts_uncommitted_records(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a", "b", "c")
    turner = assigned(ground, topic)
    stream = turner.stream
    assert stream.group_lag([0, 1]) == {0: 3, 1: 0}
    stream.begin_transaction()
    stream.commit_transaction({0: 2})
    # A broker ends a transaction, and then writes so beside the offsets.
    turn_until(lambda: stream.group_lag([0, 1]) == {0: 1, 1: 0}, turner)
    assert stream.group_lag([1]) == {1: 0}


def test_group_lag_counts_open_transactions(ground: Ground) -> None:
    topic = ground.create_topic()
    turner = assigned(ground, topic)
    turner.release_given()
    transaction = ground.leave_open(topic, 1, "a")
    turn_until(lambda: turner.stream.group_lag([0, 1]) == {0: 0, 1: 1}, turner)
    transaction.abort()


def test_worker_without_partitions_becomes_a_member(ground: Ground) -> None:
    topic = ground.create_topic(1)
    first, second = Turner(ground.open_stream(topic, "one")), Turner(ground.open_stream(topic, "two"))
    assert not first.stream.is_member
    turn_until(lambda: first.stream.is_member and first.assigned == {0}, first)
    second.stream.consume(1, SLICE_SECONDS)

    def is_member() -> bool:
        second.stream.group_lag([])
        return second.stream.is_member and first.stream.is_member

    turn_until(is_member, first, second)
    assert first.assigned | second.assigned == {0}
