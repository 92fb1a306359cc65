"""Each bug that the trial exists for is planted, and must be noticed."""

from collections.abc import Callable

import pytest

from consumer.decision.decision import Decision
from consumer.decision.outcome import ClickOutcome
from tests.builders import Record, a_click, a_link, an_action
from tests.decision.strategies import Turn
from tests.decision.trial import Trial


def _lose_an_update(decision: Decision) -> None:
    object.__setattr__(decision, "updates", [*decision.updates[:1], *decision.updates[2:]])


def _double_an_update(decision: Decision) -> None:
    decision.updates.append(decision.updates[0])


def _change_an_update(decision: Decision) -> None:
    topic, value, key, headers = decision.updates[0]
    object.__setattr__(
        decision, "updates", [(topic, value[:-1] + bytes([value[-1] ^ 1]), key, headers), *decision.updates[1:]]
    )


def _misorder_updates(decision: Decision) -> None:
    object.__setattr__(decision, "updates", decision.updates[::-1])


def _forget_a_click(decision: Decision) -> None:
    del decision.entries[max(decision.entries, key=len)]


def _miscount(decision: Decision) -> None:
    decision.clicks[ClickOutcome.APPLIED] += 1


def _miscount_an_action(decision: Decision) -> None:
    decision.actions["interest", "applied"] += 1


def _miscount_hits(decision: Decision) -> None:
    ((plan, _), *_) = decision.hits.counts()
    decision.hits.add({plan: 1}, first=False)


def _lose_a_click_to_be_sent_on(decision: Decision) -> None:
    decision.rerouted.clear()


class Spoilt(Trial):
    """Has a bug in the first decision that makes updates and sends clicks on."""

    def __init__(self, plant: Callable[[Decision], None]) -> None:
        super().__init__(partitions=2, retention_ms=None)
        self._plant = plant
        self.planted = False

    def _commit(self, partition: int, batch: list[Record], decision: Decision) -> None:
        if not self.planted and decision.rerouted and decision.updates:
            self.planted = True
            self._plant(decision)
        super()._commit(partition, batch, decision)


def play(trial: Trial) -> None:
    """Have ten people click twice, some of them in another partition than their own."""
    trial.publish([a_link(an_action(), an_action("SetField", slot=1), epoch=0)])
    for turn in range(2):
        for number in range(10):
            trial.arrive(a_click(turn * 10 + number, recipient_id=f"r-{number}"), misplaced=number > 6)
        trial.turn(Turn([], 1_000, committed=True))
    trial.finish()


def test_without_a_bug_it_goes_well() -> None:
    play(Trial(partitions=2, retention_ms=None))


@pytest.mark.parametrize(
    "plant",
    [
        _lose_an_update,
        _double_an_update,
        _change_an_update,
        _misorder_updates,
        _forget_a_click,
        _miscount,
        _miscount_an_action,
        _miscount_hits,
        _lose_a_click_to_be_sent_on,
    ],
)
def test_a_bug_in_the_decision_is_noticed(plant: Callable[[Decision], None]) -> None:
    spoilt = Spoilt(plant)

    with pytest.raises(AssertionError):
        play(spoilt)
    assert spoilt.planted
