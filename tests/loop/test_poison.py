"""Records that the broker refuses, repeated aborts, and too many bad records."""

from collections.abc import Mapping

import pytest

from runtime.errors import TooManyBadRecords, Unavailable
from runtime.ports import TransactionAborted
from runtime.stream.transaction_loop import MAX_ABORTS
from tests.builders import Record, a_click, a_link, an_action
from tests.loop.expectations import compare_updates, dead_letters, expected_model, require_state_as_changelog
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedState, ScriptedStream

LIMIT = 2_000
HEAVY = a_link(an_action("CreateFollowUp", description="x" * LIMIT), link_id="heavy")
"""Its update is larger than the topic of follow-ups takes; the click itself, and so its dead letter, is not."""


class SpoiltStream(ScriptedStream):
    """Like the real library: the transaction after a refused one fails, too, with a gap in the sequence numbers."""

    _spoilt = False

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        if self._spoilt:
            self._spoilt = False
            raise TransactionAborted("OUT_OF_ORDER_SEQUENCE_NUMBER")
        try:
            return super().commit_transaction(offsets)
        except TransactionAborted as error:
            self._spoilt = error.poison
            raise


def environment_with_size_limit(partitions: int = 3) -> FakeEnvironment:
    environment = FakeEnvironment(partitions)
    environment.cluster.create_topic(
        environment.names.update("follow_up"), environment.partitions, max_message_bytes=LIMIT
    )
    environment.define(HEAVY, a_link(an_action()))
    return environment


def many_clicks(number: int) -> list[Record]:
    return [a_click(n, recipient_id=f"r-{n}") for n in range(number)]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 300), (150, 150), (300, 0)])
def test_refused_record_is_isolated(before: int, after: int) -> None:
    environment, disk = environment_with_size_limit(partitions=1), ScriptedState()
    clicks = many_clicks(before + after)
    environment.click(*clicks[:before], a_click(1_000, link_id="heavy"), *clicks[before:])
    worker = Worker(environment, disk, build=Build(stream=SpoiltStream))
    worker.run()
    ((partition, offset, reason),) = dead_letters(environment)
    assert reason == "rejected_by_broker"
    assert compare_updates(environment, expected_model(environment, {(partition, offset)})).is_exact
    assert worker.counts.consumed == before + 1 + after
    assert worker.counts.balanced
    require_state_as_changelog(environment, disk)


def test_refused_records_of_several_partitions_are_isolated() -> None:
    environment, disk = environment_with_size_limit(), ScriptedState()
    heavy = [a_click(1_000 + n, link_id="heavy", recipient_id=f"r-{7 * n}") for n in range(5)]
    clicks = many_clicks(60)
    for number, click in enumerate(heavy):
        environment.click(*clicks[12 * number : 12 * (number + 1)], click)
    worker = Worker(environment, disk, build=Build(stream=SpoiltStream))
    worker.run()
    letters = dead_letters(environment)
    assert [reason for _, _, reason in letters] == ["rejected_by_broker"] * 5
    assert compare_updates(environment, expected_model(environment, {(p, o) for p, o, _ in letters})).is_exact
    assert worker.counts.consumed == 65


def test_refused_dead_letter_ends_the_worker() -> None:
    environment = environment_with_size_limit()
    environment.cluster.create_topic(environment.names.dead_letters, environment.partitions, max_message_bytes=100)
    environment.click(a_click(link_id="heavy"))
    worker = Worker(environment, ScriptedState())
    with pytest.raises(Unavailable, match=r"dead letter.*max\.message\.bytes"):
        worker.run()
    assert set(worker.stream.committed().values()) == {0}


def test_repeated_aborts_end_the_worker() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.click(a_click())
    refused = Happening(before=raising(TransactionAborted("SOMETHING_LASTING")))
    worker = Worker(environment, ScriptedState(), script=Script.at_every("consumer.commit_transaction", refused))
    with pytest.raises(Unavailable, match=rf"{MAX_ABORTS} transactions in a row.*SOMETHING_LASTING.*doctor"):
        worker.run()
    assert set(worker.stream.committed().values()) == {0}


def test_aborts_by_rebalances_are_unlimited() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    environment.click(a_click())
    moved_on = Happening(before=raising(TransactionAborted("ILLEGAL_GENERATION", rebalance=True)))
    worker = Worker(
        environment,
        ScriptedState(),
        script=Script.at_every("consumer.commit_transaction", moved_on, times=3 * MAX_ABORTS),
    )
    worker.run()
    assert worker.counts.consumed == 1


def test_too_many_bad_records_end_the_worker_uncommitted() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(*many_clicks(99))
    for _ in range(101):
        environment.put(b"bad", partition=0)
    worker = Worker(environment, ScriptedState(), dead_letter_limit=0.5)
    with pytest.raises(TooManyBadRecords, match=r"101 of the latest 200 records of partition 0.*unknown_frame"):
        worker.run()
    assert worker.stream.committed() == {0: 0}
    assert not environment.read(environment.names.dead_letters)
    assert not environment.read(environment.names.update("interest"))
    assert environment.cluster.transactions.open_transactions == []


def test_bad_records_up_to_the_limit_are_allowed() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(*many_clicks(100))
    for _ in range(100):
        environment.put(b"bad", partition=0)
    worker = Worker(environment, ScriptedState(), dead_letter_limit=0.5)
    worker.run()
    assert len(dead_letters(environment)) == 100


def test_retried_bad_records_are_counted_once() -> None:
    """Counted twice, 60 records would exceed the limit, whose minimum is 100."""
    environment = FakeEnvironment(partitions=1)
    for _ in range(60):
        environment.put(b"bad", partition=0)
    refused = Happening(before=raising(TransactionAborted("refused")))
    script = Script.at_every("consumer.commit_transaction", refused, times=MAX_ABORTS - 1)
    worker = Worker(environment, ScriptedState(), dead_letter_limit=0.5, script=script)
    worker.run()
    assert len(dead_letters(environment)) == 60
    assert worker.counts.dead_letters.total() == 60


def test_returned_dead_letter_has_one_reason() -> None:
    """The header that names the original survives."""
    environment = FakeEnvironment(partitions=1)
    brought_back = (("trace", b"t"), ("dlq.reason", b"unknown_version"), ("dlq.offset", b"7"), ("dlq.replayed", b"0:7"))
    environment.put(b"\xff", partition=0, headers=brought_back)
    Worker(environment, ScriptedState()).run()
    (letter,) = environment.read(environment.names.dead_letters)
    headers = letter.headers() or []

    assert headers[:3] == [("trace", b"t"), ("dlq.replayed", b"0:7"), ("dlq.reason", b"unknown_frame")]
    assert len(headers) == len(dict(headers)) == 9
