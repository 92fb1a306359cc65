"""The messages of an edge that cannot start."""

import pytest

from edge.app import _why_not_started
from runtime.ports import RetriableError, StateRefused


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RetriableError("_TRANSPORT"), "needs the broker at its first start"),
        (StateRefused("the state cannot be written (No space left); make room"), "No space left"),
    ],
)
def test_true_cause_is_named(error: RetriableError, said: str) -> None:
    message = _why_not_started(error)
    assert said in message
    assert ("broker" in message) is not isinstance(error, StateRefused)
