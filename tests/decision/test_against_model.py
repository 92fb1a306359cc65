"""`decide` against one naive pass over the same clicks, however they are cut into batches and repeated."""

from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import DAY, Record
from tests.decision.strategies import History, histories, numbered
from tests.decision.trial import Trial
from tests.decision.twins import DecisionHarness


@settings(max_examples=400, deadline=None)
@given(histories, st.sampled_from([1, 2, 3]), st.sampled_from([None, DAY]))
def test_it_decides_as_the_model_does_through_turns_aborts_and_new_definitions(
    history: History, partitions: int, retention_ms: int | None
) -> None:
    trial = Trial(partitions, retention_ms)
    trial.publish(history.links)
    for arrival in history.arrivals:
        trial.arrive(arrival.click, misplaced=arrival.misplaced)

    for turn in history.turns:
        trial.turn(turn)
    trial.finish()


@settings(max_examples=100, deadline=None)
@given(histories, st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_state_is_independent_of_batch_boundaries(history: History, sizes: list[int]) -> None:
    known: dict[tuple[str, str], Record] = {}
    links = numbered(history.links, known)
    whole, in_parts = DecisionHarness(*links), DecisionHarness(*links)
    clicks = [arrival.click for arrival in history.arrivals]

    whole.take(*clicks)
    for size in cycle(sizes):
        part, clicks = clicks[:size], clicks[size:]
        in_parts.take(*part)
        if not clicks:
            break

    assert in_parts.entries() == whole.entries()
    assert in_parts.updates == whole.updates
