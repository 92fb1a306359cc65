"""Taking clicks, holding them back, going back to what is committed."""

from consumer.ports import Committed
from tests.ports.ground import Ground, Turner, assigned, turn_idly, turn_until


def test_assigned_partitions_start_paused(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a", "b")
    ground.publish(topic, 1, "c")
    turner = assigned(ground, topic)
    turn_idly(turner)
    assert turner.records == []
    turner.stream.resume([0])
    turn_until(lambda: len(turner.records) == 2, turner)
    turn_idly(turner)
    assert [(r.partition(), r.offset(), r.value()) for r in turner.records] == [(0, 0, b"a"), (0, 1, b"b")]


def test_assignment_change_is_returned_once(ground: Ground) -> None:
    turner = assigned(ground, ground.create_topic())
    assert [change.assigned for change in turner.changes] == [frozenset({0, 1})]
    change = turner.stream.poll_assignment()
    assert not change.assigned
    assert not change.revoked


def test_resume_continues_at_position(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: len(turner.records) == 3, turner)
    turner.stream.pause([0])
    ground.publish(topic, 0, *"de")
    ground.publish(topic, 1, "other")
    turn_until(lambda: len(turner.records) == 4, turner)
    turn_idly(turner)
    assert turner.values(0) == ["a", "b", "c"]
    turner.stream.resume([0])
    turn_until(lambda: len(turner.values(0)) == 5, turner)
    assert turner.values(0) == ["a", "b", "c", "d", "e"]


def test_consume_respects_limit(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abcde")
    turner = assigned(ground, topic)
    turner.release_given()
    sizes: list[int] = []
    while sum(sizes) < 5:
        sizes.append(len(turner.turn(limit=2)))
    assert max(sizes) <= 2
    assert turner.values(0) == ["a", "b", "c", "d", "e"]


def test_seek_to_committed_without_offset_goes_to_beginning(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: len(turner.records) == 3, turner)
    assert turner.stream.seek_to_committed([0, 1]) == {0: None, 1: None}
    turn_until(lambda: len(turner.records) == 6, turner)
    assert turner.values(0) == ["a", "b", "c"] * 2


def test_seek_to_committed(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abcd")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: len(turner.records) == 4, turner)
    turner.stream.begin_transaction()
    turner.stream.commit_transaction({0: 2})
    assert turner.stream.seek_to_committed([0, 1]) == {0: Committed(2, is_own=True), 1: None}
    turn_until(lambda: len(turner.records) == 6, turner)
    assert turner.values(0)[4:] == ["c", "d"]


def test_seek_to_committed_reports_own_commits(ground: Ground) -> None:
    """Both have handled the same records, so both commit the same offset."""
    topic = ground.create_topic(1)
    first = assigned(ground, topic, 1)
    first.stream.begin_transaction()
    first.stream.commit_transaction({0: 2})
    assert first.stream.seek_to_committed([0]) == {0: Committed(2, is_own=True)}
    first.stream.close()
    second = assigned(ground, topic, 1)
    assert second.stream.seek_to_committed([0]) == {0: Committed(2, is_own=False)}
    second.stream.begin_transaction()
    second.stream.commit_transaction({0: 2})
    assert second.stream.seek_to_committed([0]) == {0: Committed(2, is_own=True)}


def test_seek_keeps_partition_paused(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: len(turner.records) == 3, turner)
    turner.stream.pause([0, 1])
    turner.stream.seek_to_committed([0, 1])
    turn_idly(turner)
    assert len(turner.records) == 3
    turner.release_given()
    turn_until(lambda: len(turner.records) == 6, turner)
    assert turner.values(0) == ["a", "b", "c"] * 2


def test_calls_without_partitions_are_harmless(ground: Ground) -> None:
    stream = ground.open_stream(ground.create_topic())
    assert stream.seek_to_committed([]) == {}
    stream.pause([])
    stream.resume([])


def test_eof_follows_the_last_record(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    turner = assigned(ground, topic)
    assert turner.stream.eof_offset(0) is None
    turner.release_given()
    while len(turner.records) < 2:
        turner.turn(limit=1)
    assert turner.stream.eof_offset(0) is None
    turn_until(lambda: turner.stream.eof_offset(0) == 3, turner)
    assert turner.values(0) == ["a", "b", "c"]


def test_eof_offset_passes_control_and_aborted_records(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a")
    ground.leave_open(topic, 0, "b").commit()
    ground.leave_open(topic, 0, "c").abort()
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: turner.stream.eof_offset(0) == 5, turner)
    assert turner.values(0) == ["a", "b"]
    assert turner.stream.end_offsets() == {0: 5, 1: 0}


def test_no_eof_beyond_open_transaction(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a")
    open_transaction = ground.leave_open(topic, 0, "b")
    ground.publish(topic, 0, "c")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: turner.stream.eof_offset(0) == 1, turner)
    turn_idly(turner)
    assert turner.values(0) == ["a"]
    assert turner.stream.end_offsets()[0] == 3
    open_transaction.commit()
    turn_until(lambda: turner.stream.eof_offset(0) == 4, turner)
    assert turner.values(0) == ["a", "b", "c"]


def test_seek_clears_eof(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: turner.stream.eof_offset(0) == 1, turner)
    turner.stream.pause([0])
    turner.stream.seek_to_committed([0])
    assert turner.stream.eof_offset(0) is None
    turner.release_given()
    turn_until(lambda: turner.stream.eof_offset(0) == 1, turner)
    assert turner.values(0) == ["a", "a"]


def test_lag_needs_no_request(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    turner = assigned(ground, topic)
    turner.release_given()
    turn_until(lambda: turner.stream.eof_offset(0) == 3, turner)
    assert [turner.stream.lag(0, position) for position in (0, 2, 3)] == [3, 1, 0]


def test_committed_returns_every_partition(ground: Ground) -> None:
    topic = ground.create_topic(3)
    turner = assigned(ground, topic, 3)
    assert turner.stream.committed() == {0: 0, 1: 0, 2: 0}
    ground.publish(topic, 1, *"abc")
    turner.stream.begin_transaction()
    turner.stream.commit_transaction({1: 2})
    assert turner.stream.committed() == {0: 0, 1: 2, 2: 0}


def test_close_leaves_the_group(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    first = assigned(ground, topic)
    first.stream.begin_transaction()
    first.stream.commit_transaction({0: 1})
    first.stream.close()
    second = assigned(ground, topic, instance="two")
    second.release_given()
    turn_until(lambda: len(second.records) == 2, second)
    assert second.values(0) == ["b", "c"]


def test_record_keeps_key_headers_and_timestamp(ground: Ground) -> None:
    topic = ground.create_topic(1)
    ground.publish(topic, 0, "a")
    turner = Turner(assigned(ground, topic, 1).stream)
    turner.stream.resume([0])
    turn_until(lambda: len(turner.records) == 1, turner)
    (record,) = turner.records
    assert record.key() == b"key"
    assert record.headers() is None
    kind, milliseconds = record.timestamp()
    assert kind == 1
    assert milliseconds > 0
