"""The batch decider: waits for versions and schemas, forced dead letters."""

from collections.abc import Mapping, Sequence

from consumer.decision.decision import Decision, Rules
from consumer.decision.outcome import ClickOutcome
from consumer.loop.batch_decider import DEFINITION_WAIT_MS, BatchDecider
from runtime.fake_kafka.record import FakeRecord
from runtime.state.in_memory import MemoryPartitionStore
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout
from tests.builders import NOON, Record, a_click, a_link, an_action
from tests.loop.fake_environment import CLICKS, FakeEnvironment, record_formats

PARTITION = 0
WAIT_SECONDS = DEFINITION_WAIT_MS / 1000
CONDEMNED = BadRecord(Reason.REJECTED_BY_BROKER, "refused")


class Bench:
    """A decider over one partition, to which every click belongs."""

    def __init__(self) -> None:
        self.environment = FakeEnvironment(partitions=1)
        definitions = self.environment.open_plans()
        self.decider = BatchDecider(
            definitions, record_formats().read_click_layouts, Rules(partitions=1), self.environment.clock
        )
        self.store = MemoryPartitionStore("changelog")

    def decide(self, *clicks: Record, published_at: int = NOON, first_offset: int = 0) -> Decision:
        return self.decider.decide(PARTITION, records(clicks, published_at, first_offset), self.store)

    @property
    def waited_seconds(self) -> float:
        return self.environment.clock.monotonic()


def records(clicks: Sequence[Record], published_at: int, first_offset: int) -> list[FakeRecord]:
    return [
        FakeRecord(
            ("clicks", PARTITION), offset, key=None, value=CLICKS.encode(click), headers=(), timestamp=published_at
        )
        for offset, click in enumerate(clicks, start=first_offset)
    ]


def reasons(decision: Decision) -> dict[int, Reason]:
    return {row: bad.reason for row, bad in decision.dead_letters.items()}


def test_version_that_arrives_in_time_is_awaited() -> None:
    bench = Bench()
    bench.environment.clock.at(1.0, lambda: bench.environment.define(a_link(an_action(), version=2)))
    decision = bench.decide(a_click(link_version=2))
    assert +decision.clicks == {ClickOutcome.APPLIED: 1}
    assert 1.0 <= bench.waited_seconds < 1.5


def test_wait_for_missing_version_is_bounded() -> None:
    bench = Bench()
    decision = bench.decide(a_click(1, link_version=7), a_click(2, link_id="nobody's"))
    assert reasons(decision) == {0: Reason.UNKNOWN_VERSION}
    assert +decision.clicks == {ClickOutcome.DEAD_LETTERED: 1, ClickOutcome.WITHOUT_ACTIONS: 1}
    assert WAIT_SECONDS <= bench.waited_seconds < WAIT_SECONDS + 0.5


def test_missing_version_is_not_awaited_twice() -> None:
    bench = Bench()
    bench.decide(a_click(1, link_version=7))
    waited = bench.waited_seconds
    published_at = NOON + round(waited * 1000)
    again = bench.decide(a_click(2, link_version=7), published_at=published_at, first_offset=1)
    assert reasons(again) == {0: Reason.UNKNOWN_VERSION}
    assert bench.waited_seconds == waited
    bench.environment.define(a_link(an_action(), version=7))
    found = bench.decide(a_click(3, link_version=7), published_at=published_at, first_offset=2)
    assert +found.clicks == {ClickOutcome.APPLIED: 1}


def test_new_version_is_awaited_beside_a_missing_one() -> None:
    bench = Bench()
    bench.decide(a_click(1, link_version=7))
    waited = bench.waited_seconds
    bench.environment.clock.at(waited + 1.0, lambda: bench.environment.define(a_link(an_action(), version=8)))
    clicks = a_click(2, link_version=7), a_click(3, link_version=8)
    decision = bench.decide(*clicks, published_at=NOON + round(waited * 1000), first_offset=1)
    assert reasons(decision) == {0: Reason.UNKNOWN_VERSION}
    assert waited + 1.0 <= bench.waited_seconds < waited + 1.5


def test_old_click_waits_only_for_published_definitions() -> None:
    bench = Bench()
    bench.environment.define(a_link(an_action()), a_link(an_action(), version=2))
    decision = bench.decide(a_click(1, link_version=2), a_click(2, link_version=7), published_at=NOON - 60_000)
    assert reasons(decision) == {1: Reason.UNKNOWN_VERSION}
    assert decision.clicks[ClickOutcome.APPLIED] == 1
    assert bench.waited_seconds == 0


def test_click_from_the_future_waits_no_longer_than_others() -> None:
    bench = Bench()
    bench.decide(a_click(link_version=7), published_at=NOON + 10 * 86_400_000)
    assert bench.waited_seconds < WAIT_SECONDS + 0.5


def test_open_transaction_of_a_publisher_delays_clicks_briefly() -> None:
    bench = Bench()
    bench.environment.leave_open(bench.environment.names.definitions, 0, b"acme/spring/7", b"")
    decision = bench.decide(a_click(link_version=7))
    assert reasons(decision) == {0: Reason.UNKNOWN_VERSION}
    assert bench.waited_seconds < 2 * WAIT_SECONDS + 0.5


def test_clicks_on_known_versions_do_not_wait() -> None:
    bench = Bench()
    bench.environment.define(a_link(an_action()))
    bench.decide(a_click(link_version=1), published_at=NOON - 60_000)
    bench.decide(a_click(2), a_click(3, link_version=1))
    assert bench.waited_seconds == 0


def test_forced_dead_letter_stays_until_committed() -> None:
    bench = Bench()
    assert bench.decider.force_dead_letter(PARTITION, 11, CONDEMNED)
    decision = bench.decide(a_click(1), a_click(2), first_offset=10)
    assert reasons(decision) == {1: Reason.REJECTED_BY_BROKER}
    bench.decider.forget_before({PARTITION: 11})
    assert not bench.decider.force_dead_letter(PARTITION, 11, CONDEMNED)
    bench.decider.forget_before({PARTITION: 12})
    assert reasons(bench.decide(a_click(1), a_click(2), first_offset=10)) == {}


def test_commit_of_other_partition_keeps_forced_dead_letter() -> None:
    bench = Bench()
    bench.decider.force_dead_letter(PARTITION, 11, CONDEMNED)
    bench.decider.forget_before({PARTITION + 1: 100})
    assert not bench.decider.force_dead_letter(PARTITION, 11, CONDEMNED)


def test_registry_is_asked_once_a_second_at_most() -> None:
    environment = FakeEnvironment(partitions=1)
    asked: list[float] = []

    def read_layouts() -> Mapping[bytes, ClickLayout]:
        asked.append(environment.clock.monotonic())
        return record_formats().read_click_layouts()

    decider = BatchDecider(environment.open_plans(), read_layouts, Rules(partitions=1), environment.clock)
    value = b"\xc3\x01of no-one's schema"
    unknown = FakeRecord(("clicks", PARTITION), 0, key=None, value=value, headers=(), timestamp=NOON)
    for _ in range(35):
        decision = decider.decide(PARTITION, [unknown], MemoryPartitionStore("changelog"))
        assert reasons(decision) == {0: Reason.UNKNOWN_SCHEMA}
        environment.clock.sleep(0.125)
    assert asked == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_newly_registered_schema_is_used_at_once() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    known = dict(record_formats().read_click_layouts())
    layout = known[CLICKS.frame]
    answers = iter([{b"\xc3\x01others": layout}, known])
    definitions = environment.open_plans()
    definitions.definitions.catch_up(lambda: False)
    decider = BatchDecider(definitions, lambda: next(answers), Rules(partitions=1), environment.clock)
    clicks = records([a_click()], NOON, 0)

    unknown = decider.decide(PARTITION, clicks, MemoryPartitionStore("changelog"))
    assert reasons(unknown) == {0: Reason.UNKNOWN_SCHEMA}
    environment.clock.sleep(1.0)
    learned = decider.decide(PARTITION, clicks, MemoryPartitionStore("changelog"))
    assert +learned.clicks == {ClickOutcome.APPLIED: 1}
