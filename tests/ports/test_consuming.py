"""Taking clicks, holding them back, going back to what is committed."""

from runtime.ports import Committed
from tests.ports.environment import Environment, Poller, assigned, poll_until, turn_idly


def test_assigned_partitions_start_paused(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a", "b")
    environment.publish(topic, 1, "c")
    poller = assigned(environment, topic)
    turn_idly(poller)
    assert poller.records == []
    poller.stream.resume([0])
    poll_until(lambda: len(poller.records) == 2, poller)
    turn_idly(poller)
    assert [(r.partition(), r.offset(), r.value()) for r in poller.records] == [(0, 0, b"a"), (0, 1, b"b")]


def test_assignment_change_is_returned_once(environment: Environment) -> None:
    poller = assigned(environment, environment.create_topic())
    assert [change.assigned for change in poller.changes] == [frozenset({0, 1})]
    change = poller.stream.poll_assignment()
    assert not change.assigned
    assert not change.revoked


def test_resume_continues_at_position(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 3, poller)
    poller.stream.pause([0])
    environment.publish(topic, 0, *"de")
    environment.publish(topic, 1, "other")
    poll_until(lambda: len(poller.records) == 4, poller)
    turn_idly(poller)
    assert poller.values(0) == ["a", "b", "c"]
    poller.stream.resume([0])
    poll_until(lambda: len(poller.values(0)) == 5, poller)
    assert poller.values(0) == ["a", "b", "c", "d", "e"]


def test_consume_respects_limit(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abcde")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    sizes: list[int] = []
    while sum(sizes) < 5:
        sizes.append(len(poller.turn(limit=2)))
    assert max(sizes) <= 2
    assert poller.values(0) == ["a", "b", "c", "d", "e"]


def test_seek_to_committed_without_offset_goes_to_beginning(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 3, poller)
    assert poller.stream.seek_to_committed([0, 1]) == {0: None, 1: None}
    poll_until(lambda: len(poller.records) == 6, poller)
    assert poller.values(0) == ["a", "b", "c"] * 2


def test_seek_to_committed(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abcd")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 4, poller)
    poller.stream.begin_transaction()
    poller.stream.commit_transaction({0: 2})
    assert poller.stream.seek_to_committed([0, 1]) == {0: Committed(2, is_own=True), 1: None}
    poll_until(lambda: len(poller.records) == 6, poller)
    assert poller.values(0)[4:] == ["c", "d"]


def test_seek_to_committed_reports_own_commits(environment: Environment) -> None:
    """Both have handled the same records, so both commit the same offset."""
    topic = environment.create_topic(1)
    first = assigned(environment, topic, 1)
    first.stream.begin_transaction()
    first.stream.commit_transaction({0: 2})
    assert first.stream.seek_to_committed([0]) == {0: Committed(2, is_own=True)}
    first.stream.close()
    second = assigned(environment, topic, 1)
    assert second.stream.seek_to_committed([0]) == {0: Committed(2, is_own=False)}
    second.stream.begin_transaction()
    second.stream.commit_transaction({0: 2})
    assert second.stream.seek_to_committed([0]) == {0: Committed(2, is_own=True)}


def test_seek_keeps_partition_paused(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 3, poller)
    poller.stream.pause([0, 1])
    poller.stream.seek_to_committed([0, 1])
    turn_idly(poller)
    assert len(poller.records) == 3
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 6, poller)
    assert poller.values(0) == ["a", "b", "c"] * 2


def test_calls_without_partitions_are_harmless(environment: Environment) -> None:
    stream = environment.open_stream(environment.create_topic())
    assert stream.seek_to_committed([]) == {}
    stream.pause([])
    stream.resume([])


def test_eof_follows_the_last_record(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    poller = assigned(environment, topic)
    assert poller.stream.eof_offset(0) is None
    poller.resume_assigned()
    while len(poller.records) < 2:
        poller.turn(limit=1)
    assert poller.stream.eof_offset(0) is None
    poll_until(lambda: poller.stream.eof_offset(0) == 3, poller)
    assert poller.values(0) == ["a", "b", "c"]


def test_eof_offset_passes_control_and_aborted_records(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a")
    environment.leave_open(topic, 0, "b").commit()
    environment.leave_open(topic, 0, "c").abort()
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: poller.stream.eof_offset(0) == 5, poller)
    assert poller.values(0) == ["a", "b"]
    assert poller.stream.end_offsets() == {0: 5, 1: 0}


def test_no_eof_beyond_open_transaction(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a")
    open_transaction = environment.leave_open(topic, 0, "b")
    environment.publish(topic, 0, "c")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: poller.stream.eof_offset(0) == 1, poller)
    turn_idly(poller)
    assert poller.values(0) == ["a"]
    assert poller.stream.end_offsets()[0] == 3
    open_transaction.commit()
    poll_until(lambda: poller.stream.eof_offset(0) == 4, poller)
    assert poller.values(0) == ["a", "b", "c"]


def test_seek_clears_eof(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: poller.stream.eof_offset(0) == 1, poller)
    poller.stream.pause([0])
    poller.stream.seek_to_committed([0])
    assert poller.stream.eof_offset(0) is None
    poller.resume_assigned()
    poll_until(lambda: poller.stream.eof_offset(0) == 1, poller)
    assert poller.values(0) == ["a", "a"]


def test_lag_needs_no_request(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    poller = assigned(environment, topic)
    poller.resume_assigned()
    poll_until(lambda: poller.stream.eof_offset(0) == 3, poller)
    assert [poller.stream.lag(0, position) for position in (0, 2, 3)] == [3, 1, 0]


def test_committed_returns_every_partition(environment: Environment) -> None:
    topic = environment.create_topic(3)
    poller = assigned(environment, topic, 3)
    assert poller.stream.committed() == {0: 0, 1: 0, 2: 0}
    environment.publish(topic, 1, *"abc")
    poller.stream.begin_transaction()
    poller.stream.commit_transaction({1: 2})
    assert poller.stream.committed() == {0: 0, 1: 2, 2: 0}


def test_close_leaves_the_group(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    first = assigned(environment, topic)
    first.stream.begin_transaction()
    first.stream.commit_transaction({0: 1})
    first.stream.close()
    second = assigned(environment, topic, instance="two")
    second.resume_assigned()
    poll_until(lambda: len(second.records) == 2, second)
    assert second.values(0) == ["b", "c"]


def test_record_keeps_key_headers_and_timestamp(environment: Environment) -> None:
    topic = environment.create_topic(1)
    environment.publish(topic, 0, "a")
    poller = Poller(assigned(environment, topic, 1).stream)
    poller.stream.resume([0])
    poll_until(lambda: len(poller.records) == 1, poller)
    (record,) = poller.records
    assert record.key() == b"key"
    assert record.headers() is None
    kind, milliseconds = record.timestamp()
    assert kind == 1
    assert milliseconds > 0
