from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from runtime.errors import Unavailable, UsageError
from runtime.kafka.admin.topic_admin import TopicAdmin, create_topics, inspect_topics
from runtime.kafka.admin.topics import (
    Cleanup,
    Severity,
    TopicSpec,
    TopicState,
    compare_topics,
    require_wanted,
    topic_specs,
)
from runtime.kafka.shell_commands import SERVERS
from schemas.topics import TopicNames

NAMES = TopicNames("staging.", "group", ("set_field", "follow_up"))


class MemoryTopicAdmin:
    """A broker that knows topics and nothing else."""

    def __init__(self, topics: Mapping[str, TopicState] | None = None) -> None:
        self.topics = dict(topics or {})

    def read_topics(self, names: Iterable[str]) -> Mapping[str, TopicState]:
        return {name: self.topics[name] for name in names if name in self.topics}

    def create_topics(self, specs: Iterable[TopicSpec], *, partitions: int, replication_factor: int) -> None:
        assert replication_factor
        for spec in specs:
            self.topics[spec.name] = TopicState(spec.partitions or partitions, frozenset({spec.cleanup}))


def good_topics(partitions: int = 4) -> dict[str, TopicState]:
    admin = MemoryTopicAdmin()
    create_topics(admin, NAMES, partitions=partitions, replication_factor=1)
    return admin.topics


def test_every_name_has_the_prefix() -> None:
    assert [spec.name for spec in topic_specs(NAMES)] == [
        "staging.link.clicks.v1",
        "staging.link.definitions.v1",
        "staging.crm-updates.set-field.v1",
        "staging.crm-updates.follow-up.v1",
        "staging.link.hits.v1",
        "staging.link.forms.v1",
        "staging.link.clicks.dlq.v1",
        "staging.script.definitions.v1",
        "staging.script.runs.v1",
        "staging.crm-updates.script.dlq.v1",
        "staging.link.return-urls.v1",
        "staging.group.dedupe-changelog.v1",
    ]
    assert NAMES.updates["follow_up"] == "staging.crm-updates.follow-up.v1"


def test_missing_topics_are_created_once() -> None:
    admin: TopicAdmin = MemoryTopicAdmin()

    made, report = create_topics(admin, NAMES, partitions=4, replication_factor=1)
    again, same = create_topics(admin, NAMES, partitions=4, replication_factor=1)

    assert len(made) == 12
    assert again == ()
    assert report.require() == same.require() == 4


def test_compacted_topics_and_partition_counts() -> None:
    topics = good_topics()
    compacted = {name for name, state in topics.items() if state.cleanup == frozenset({Cleanup.COMPACT})}

    assert compacted == {
        NAMES.definitions,
        NAMES.hits,
        NAMES.script_definitions,
        NAMES.return_urls,
        NAMES.changelog,
    }
    assert [name for name, state in topics.items() if state.partitions == 1] == [
        NAMES.definitions,
        NAMES.script_definitions,
    ]


def test_missing_topic_gets_partition_count_of_clicks() -> None:
    admin = MemoryTopicAdmin({NAMES.clicks: TopicState(6, frozenset({Cleanup.DELETE}))})
    create_topics(admin, NAMES, partitions=12, replication_factor=1)

    assert inspect_topics(admin, NAMES).require() == 6


def test_missing_topics_are_named_with_the_create_command() -> None:
    topics = good_topics()
    del topics[NAMES.hits], topics[NAMES.changelog]
    with pytest.raises(Unavailable, match=r"Missing: staging\.link\.hits\.v1, .*; run link-actions topics create"):
        compare_topics(NAMES, topics).require()


def test_wrong_count_of_clicks_is_reported_once() -> None:
    topics = good_topics() | {NAMES.clicks: TopicState(6, frozenset({Cleanup.DELETE}))}
    (failure,) = compare_topics(NAMES, topics).failures

    assert failure.startswith(f"{NAMES.changelog} has 4 partitions and must have 6; {NAMES.clicks} was given another")


@pytest.mark.parametrize(
    ("topic", "state", "sentence"),
    [
        (
            NAMES.update("set_field"),
            TopicState(2, frozenset({Cleanup.DELETE})),
            f"has 2 partitions and must have 4; run kafka-topics.sh {SERVERS} --topic",
        ),
        (
            NAMES.update("set_field"),
            TopicState(8, frozenset({Cleanup.DELETE})),
            "has 8 partitions and must have 4; delete it with all its records: kafka-topics.sh",
        ),
        (
            NAMES.definitions,
            TopicState(4, frozenset({Cleanup.COMPACT})),
            "has 4 partitions and must have 1; delete it with all its records: kafka-topics.sh",
        ),
        (
            NAMES.changelog,
            TopicState(2, frozenset({Cleanup.COMPACT})),
            "which separates recipients from their",
        ),
        (
            NAMES.changelog,
            TopicState(4, frozenset({Cleanup.COMPACT, Cleanup.DELETE})),
            "has cleanup.policy compact,delete and must have compact; run kafka-configs.sh",
        ),
        (NAMES.clicks, TopicState(4, frozenset({Cleanup.COMPACT})), "has cleanup.policy compact and must have delete"),
        (
            NAMES.clicks,
            TopicState(4, frozenset({Cleanup.DELETE}), leaderless=1),
            "has 1 partition without a leader; start the brokers",
        ),
    ],
)
def test_each_difference_is_a_failure_with_advice(topic: str, state: TopicState, sentence: str) -> None:
    report = compare_topics(NAMES, good_topics() | {topic: state})

    assert len(report.failures) == 1
    assert report.failures[0].startswith(topic)
    assert sentence in report.failures[0]
    with pytest.raises(Unavailable):
        report.require()


def test_hidden_and_narrow_settings_are_warnings() -> None:
    topics = good_topics()
    topics[NAMES.hits] = TopicState(4, None)
    topics[NAMES.clicks] = TopicState(4, frozenset({Cleanup.DELETE}), max_message_bytes=2_000_000)
    topics[NAMES.dead_letters] = TopicState(4, frozenset({Cleanup.DELETE}), max_message_bytes=1_148_588)
    report = compare_topics(NAMES, topics)

    assert report.require() == 4
    assert [difference.severity for difference in report.differences] == [Severity.WARN, Severity.WARN]
    assert "max.message.bytes=2100000" in report.differences[1].advice


def test_several_failures_are_reported_at_once() -> None:
    topics = good_topics() | {
        NAMES.definitions: TopicState(2, frozenset({Cleanup.COMPACT})),
        NAMES.hits: TopicState(4, frozenset({Cleanup.DELETE})),
    }
    with pytest.raises(Unavailable, match="2 things are wrong"):
        compare_topics(NAMES, topics).require()


@pytest.mark.parametrize(
    ("partitions", "replication_factor", "sentence"),
    [
        (
            6,
            None,
            "has 4 partitions, not 6; to have more, stop all workers and run link-actions state repartition --part",
        ),
        (2, None, "has 4 partitions, not 2; Kafka cannot remove partitions"),
        (None, 3, r"has 1 replica, not 3 \(and 11 other topics too\); change that with kafka-reassign-partitions.sh"),
    ],
)
def test_existing_topic_with_another_count_is_refused(
    partitions: int | None, replication_factor: int | None, sentence: str
) -> None:
    states = {name: replace(state, replicas=1) for name, state in good_topics().items()}
    with pytest.raises(UsageError, match=sentence):
        require_wanted(NAMES, states, partitions=partitions, replication_factor=replication_factor)


def test_existing_topic_with_requested_or_no_count_passes() -> None:
    states = {name: replace(state, replicas=1) for name, state in good_topics().items()}
    require_wanted(NAMES, states, partitions=4, replication_factor=1)
    require_wanted(NAMES, states, partitions=None, replication_factor=None)
    require_wanted(NAMES, {}, partitions=6, replication_factor=3)


def test_every_advised_command_names_the_brokers() -> None:
    topics = good_topics() | {
        NAMES.definitions: TopicState(2, frozenset({Cleanup.DELETE})),
        NAMES.hits: TopicState(2, frozenset({Cleanup.DELETE})),
        NAMES.clicks: TopicState(4, frozenset({Cleanup.DELETE}), max_message_bytes=2_000_000),
        NAMES.dead_letters: TopicState(4, frozenset({Cleanup.DELETE}), max_message_bytes=1_148_588),
    }
    fixes = [difference.advice for difference in compare_topics(NAMES, topics).differences]

    assert sum(".sh" in fix for fix in fixes) == 5
    assert all(".sh --bootstrap-server" in fix for fix in fixes if ".sh" in fix)
