"""What the loop tells while it works: how long each stage took, how far behind it is, what became of transactions."""

from collections import Counter
from functools import partial

from consumer.loop.pace import Pace
from consumer.monitoring.metrics import Stage, TransactionResult
from consumer.streams import Aborted, OutcomeUnknown
from tests.builders import a_click, a_link, an_action
from tests.loop.house import House, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState

CLICKS = 30


def a_house(partitions: int = 1) -> House:
    house = House(partitions)
    house.define(a_link(an_action()))
    house.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(CLICKS)))
    return house


def slow(house: House, **seconds: float) -> Script:
    """Return a script in which these calls take so long; `stream_commit` is that of the stream."""
    script = Script()
    for name, duration in seconds.items():
        script.at_every_too(name.replace("_", ".", 1), Happening(before=partial(house.clock.sleep, duration)))
    return script


def test_each_stage_is_told_with_the_time_that_it_took() -> None:
    house = a_house()
    script = slow(house, stream_consume=2.0, stream_produce_all=3.0, stream_commit=5.0, store_write=7.0)
    worker = Worker(house, ScriptedState(), script=script)
    worker.run()

    produced = 3.0 * script.calls.count("stream.produce_all")
    gathered, handled = ({stage: round(took, 3) for stage, took in each.items()} for each in worker.observer.staged)
    assert gathered == {Stage.GATHER: 4.0}
    assert handled == {Stage.DECIDE: 0.0, Stage.PRODUCE: produced, Stage.COMMIT: 5.0, Stage.STORE: 7.0}


def test_clicks_are_gathered_for_half_as_long_as_the_batch_before_them_took() -> None:
    house = a_house()
    script = slow(house, stream_commit=4.0)
    house.clock.at(house.clock.monotonic() + 1.0, lambda: house.click(a_click(1_000, recipient_id="late")))
    worker = Worker(house, ScriptedState(), script=script, pace=Pace(60.0))
    worker.run_batches(2)

    seconds = [each[Stage.GATHER] for each in worker.observer.staged if Stage.GATHER in each]
    assert seconds[0] < 0.1
    assert 2.0 <= seconds[1] < 2.2


def test_the_lag_is_told_after_each_batch_and_where_nothing_is_left_to_do() -> None:
    house = a_house()
    worker = Worker(house, ScriptedState(), bite=9)
    worker.run()

    lags = [lag[0] for lag in worker.observer.lags if lag]
    assert lags == [20, 10, 0]


def test_each_transaction_is_told_once() -> None:
    house = a_house()
    failures = iter([Aborted("refused"), OutcomeUnknown("silence")])

    def fail() -> None:
        raise next(failures)

    script = Script.at_every("stream.commit", Happening(before=fail), times=2)
    worker = Worker(house, ScriptedState(), script=script)
    worker.run()

    assert Counter(worker.observer.transactions) == {
        TransactionResult.ABORTED: 1,
        TransactionResult.UNKNOWN: 1,
    }
    # What was too much for the broker once comes again in halves.
    assert [batch.size for batch in worker.observer.batches] == [CLICKS // 2] * 2
