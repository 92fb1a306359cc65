"""Reading a log from a position on: the changelog, the link definitions."""

from consumer.ports import ProducerRecord
from tests.ports.ground import Ground, assigned, read_to, read_until, text


def test_reading_starts_at_the_position_and_goes_on_with_what_comes(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abc")
    reader = ground.open_reader(topic)
    reader.assign(0, 1)
    assert reader.positions == {0: 1}
    assert [text(record) for record in read_until(reader, 2)] == ["b", "c"]
    assert reader.positions == {0: 3}
    ground.publish(topic, 0, "d")
    assert [text(record) for record in read_until(reader, 1)] == ["d"]


def test_positions_step_over_control_records_and_what_was_aborted(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.leave_open(topic, 0, "a").commit()
    ground.leave_open(topic, 0, "b").abort()
    reader = ground.open_reader(topic)
    reader.assign(0, 0)
    assert [text(record) for record in read_to(reader, 0, 4)] == ["a"]
    assert reader.positions == {0: 4}


def test_a_log_that_holds_nothing_but_what_was_aborted_is_read_to_its_end(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.leave_open(topic, 0, "a").abort()
    reader = ground.open_reader(topic)
    reader.assign(0, 0)
    assert read_to(reader, 0, 2) == []


def test_bounds_count_open_transactions_which_reading_waits_for(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, "a")
    other = ground.leave_open(topic, 0, "b")
    reader = ground.open_reader(topic)
    assert reader.watermarks([0, 1]) == {0: (0, 2), 1: (0, 0)}
    reader.assign(0, 0)
    assert [text(record) for record in read_until(reader, 1)] == ["a"]
    assert list(reader.poll(10, 0.5)) == []
    assert reader.positions == {0: 1}
    other.commit()
    assert [text(record) for record in read_to(reader, 0, 3)] == ["b"]


def test_only_what_was_started_and_not_stopped_is_read(ground: Ground) -> None:
    topic = ground.create_topic(3)
    for partition in range(3):
        ground.publish(topic, partition, "a")
    reader = ground.open_reader(topic)
    reader.assign(0, 0)
    reader.assign(1, 0)
    read_until(reader, 2)
    reader.unassign(0)
    for partition in range(3):
        ground.publish(topic, partition, "b")
    assert [record.partition() for record in read_until(reader, 1)] == [1]
    assert reader.positions == {1: 2}
    reader.assign(0, 0)
    assert [text(record) for record in read_until(reader, 2)] == ["a", "b"]


def test_what_is_not_read_may_be_stopped(ground: Ground) -> None:
    reader = ground.open_reader(ground.create_topic())
    reader.unassign(0)
    assert list(reader.poll(10, 0.1)) == []


def test_no_more_records_are_read_than_were_asked_for(ground: Ground) -> None:
    topic = ground.create_topic()
    ground.publish(topic, 0, *"abcde")
    reader = ground.open_reader(topic)
    reader.assign(0, 0)
    read: list[str] = []
    while len(read) < 5:
        some = reader.poll(2, 0.5)
        assert len(some) <= 2
        read += [text(record) for record in some]
    assert read == list("abcde")


def test_identity_stays_while_the_topic_does_and_changes_when_it_is_made_anew(ground: Ground) -> None:
    topic, other = ground.create_topic(), ground.create_topic()
    reader = ground.open_reader(topic)
    before = reader.topic_id()
    ground.publish(topic, 0, "a")
    assert reader.topic_id() == before
    assert ground.open_reader(other).topic_id() != before
    ground.make_anew(topic)
    assert ground.open_reader(topic).topic_id() != before


def test_what_the_stream_commits_is_read_and_what_it_aborts_is_not(ground: Ground) -> None:
    clicks, log = ground.create_topic(1), ground.create_topic(1)
    stream = assigned(ground, clicks, 1).stream
    for value in ("a", "b", "c"):
        stream.begin_transaction()
        stream.produce_tracked(ProducerRecord(log, 0, b"key", value.encode()))
        if value == "b":
            stream.abort_transaction()
        else:
            stream.commit_transaction({0: 0})
    reader = ground.open_reader(log)
    # Whether what was aborted takes offsets depends on how much of it the library had sent by then.
    _, end = reader.watermarks([0])[0]
    reader.assign(0, 0)
    assert [text(record) for record in read_to(reader, 0, end)] == ["a", "c"]
