"""Reading a log from a position on: the changelog, the link definitions."""

from runtime.ports import ProducerRecord
from tests.ports.environment import Environment, assigned, read_to, read_until, text


def test_reader_starts_at_position_and_follows(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    reader = environment.open_reader(topic)
    reader.assign(0, 1)
    assert reader.positions == {0: 1}
    assert [text(record) for record in read_until(reader, 2)] == ["b", "c"]
    assert reader.positions == {0: 3}
    environment.publish(topic, 0, "d")
    assert [text(record) for record in read_until(reader, 1)] == ["d"]


def test_positions_pass_control_and_aborted_records(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.leave_open(topic, 0, "a").commit()
    environment.leave_open(topic, 0, "b").abort()
    reader = environment.open_reader(topic)
    reader.assign(0, 0)
    assert [text(record) for record in read_to(reader, 0, 4)] == ["a"]
    assert reader.positions == {0: 4}


def test_reader_reaches_end_of_log_with_aborted_records_only(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.leave_open(topic, 0, "a").abort()
    reader = environment.open_reader(topic)
    reader.assign(0, 0)
    assert read_to(reader, 0, 2) == []


def test_end_offset_includes_open_transactions(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, "a")
    other = environment.leave_open(topic, 0, "b")
    reader = environment.open_reader(topic)
    assert reader.watermarks([0, 1]) == {0: (0, 2), 1: (0, 0)}
    reader.assign(0, 0)
    assert [text(record) for record in read_until(reader, 1)] == ["a"]
    assert list(reader.poll(10, 0.5)) == []
    assert reader.positions == {0: 1}
    other.commit()
    assert [text(record) for record in read_to(reader, 0, 3)] == ["b"]


def test_reader_reads_assigned_partitions_only(environment: Environment) -> None:
    topic = environment.create_topic(3)
    for partition in range(3):
        environment.publish(topic, partition, "a")
    reader = environment.open_reader(topic)
    reader.assign(0, 0)
    reader.assign(1, 0)
    read_until(reader, 2)
    reader.unassign(0)
    for partition in range(3):
        environment.publish(topic, partition, "b")
    assert [record.partition() for record in read_until(reader, 1)] == [1]
    assert reader.positions == {1: 2}
    reader.assign(0, 0)
    assert [text(record) for record in read_until(reader, 2)] == ["a", "b"]


def test_unassign_without_assignment_is_harmless(environment: Environment) -> None:
    reader = environment.open_reader(environment.create_topic())
    reader.unassign(0)
    assert list(reader.poll(10, 0.1)) == []


def test_reader_respects_limit(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abcde")
    reader = environment.open_reader(topic)
    reader.assign(0, 0)
    read: list[str] = []
    while len(read) < 5:
        some = reader.poll(2, 0.5)
        assert len(some) <= 2
        read += [text(record) for record in some]
    assert read == list("abcde")


def test_topic_id_changes_when_topic_is_recreated(environment: Environment) -> None:
    topic, other = environment.create_topic(), environment.create_topic()
    reader = environment.open_reader(topic)
    before = reader.topic_id()
    environment.publish(topic, 0, "a")
    assert reader.topic_id() == before
    assert environment.open_reader(other).topic_id() != before
    environment.recreate_topic(topic)
    assert environment.open_reader(topic).topic_id() != before


def test_reader_sees_committed_records_only(environment: Environment) -> None:
    clicks, log = environment.create_topic(1), environment.create_topic(1)
    stream = assigned(environment, clicks, 1).stream
    for value in ("a", "b", "c"):
        stream.begin_transaction()
        stream.produce_tracked(ProducerRecord(log, 0, b"key", value.encode()))
        if value == "b":
            stream.abort_transaction()
        else:
            stream.commit_transaction({0: 0})
    reader = environment.open_reader(log)
    # Whether what was aborted takes offsets depends on how much of it the library had sent by then.
    _, end = reader.watermarks([0])[0]
    reader.assign(0, 0)
    assert [text(record) for record in read_to(reader, 0, end)] == ["a", "c"]
