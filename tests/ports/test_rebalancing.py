"""Partitions that go from one member of the group to another."""

from tests.ports.environment import Environment, Poller, assigned, poll_until

PARTITIONS = 4


def test_two_members_share_partitions(environment: Environment) -> None:
    topic = environment.create_topic(PARTITIONS)
    first = assigned(environment, topic, PARTITIONS)
    second = Poller(environment.open_stream(topic, "two"))
    poll_until(lambda: len(second.assigned) == 2 and len(first.assigned) == 2, first, second)
    assert first.assigned | second.assigned == set(range(PARTITIONS))
    # Only what moves is taken: the others are worked on all the while.
    assert [(change.revoked, change.assigned) for change in first.changes[1:]] == [
        (frozenset(second.assigned), frozenset())
    ]


def test_new_owner_resumes_from_committed_offset(environment: Environment) -> None:
    topic = environment.create_topic(PARTITIONS)
    for partition in range(PARTITIONS):
        environment.publish(topic, partition, *"abc")
    first = assigned(environment, topic, PARTITIONS)
    first.resume_assigned()
    poll_until(lambda: len(first.records) == 3 * PARTITIONS, first)
    first.stream.begin_transaction()
    first.stream.commit_transaction(dict.fromkeys(range(PARTITIONS), 2))
    second = Poller(environment.open_stream(topic, "two"))
    poll_until(lambda: len(second.assigned) == 2 and len(first.assigned) == 2, first, second)
    second.resume_assigned()
    poll_until(lambda: len(second.records) == 2, first, second)
    assert [second.values(partition) for partition in sorted(second.assigned)] == [["c"], ["c"]]


def test_remaining_member_gets_all_partitions(environment: Environment) -> None:
    topic = environment.create_topic(PARTITIONS)
    first = assigned(environment, topic, PARTITIONS)
    second = Poller(environment.open_stream(topic, "two"))
    poll_until(lambda: len(second.assigned) == 2 and len(first.assigned) == 2, first, second)
    second.stream.close()
    poll_until(lambda: len(first.assigned) == PARTITIONS, first)
    environment.publish(topic, 0, "a")
    environment.publish(topic, 3, "b")
    first.resume_assigned()
    poll_until(lambda: len(first.records) == 2, first)


def test_both_members_of_a_group_commit(environment: Environment) -> None:
    topic = environment.create_topic(PARTITIONS)
    first = assigned(environment, topic, PARTITIONS)
    second = Poller(environment.open_stream(topic, "two"))
    second.stream.reinit_producer()
    poll_until(lambda: len(second.assigned) == 2 and len(first.assigned) == 2, first, second)
    for number, poller in enumerate((first, second), start=1):
        poller.stream.begin_transaction()
        poller.stream.commit_transaction(dict.fromkeys(poller.assigned, number))
    expected = dict.fromkeys(first.assigned, 1) | dict.fromkeys(second.assigned, 2)
    assert first.stream.committed() == expected


def test_member_commits_after_another_joins(environment: Environment) -> None:
    topic = environment.create_topic(PARTITIONS)
    first = assigned(environment, topic, PARTITIONS)
    first.stream.begin_transaction()
    first.stream.commit_transaction(dict.fromkeys(first.assigned, 1))
    second = Poller(environment.open_stream(topic, "two"))
    poll_until(lambda: len(second.assigned) == 2 and len(first.assigned) == 2, first, second)
    first.stream.begin_transaction()
    first.stream.commit_transaction(dict.fromkeys(first.assigned, 2))
    assert first.stream.committed() == dict.fromkeys(second.assigned, 1) | dict.fromkeys(first.assigned, 2)


def test_member_without_partitions_is_valid(environment: Environment) -> None:
    topic = environment.create_topic(1)
    first = assigned(environment, topic, 1)
    second = Poller(environment.open_stream(topic, "two"))
    for _ in range(20):
        second.turn()
        first.turn()
    assert {len(first.assigned), len(second.assigned)} == {0, 1}
