"""What is advised when the disk refuses."""

from errno import EACCES, EMFILE, ENFILE, ENOSPC

import pytest

from runtime.state.disk import refused


@pytest.mark.parametrize(
    ("number", "advice"),
    [(EMFILE, "raise the limit"), (ENFILE, "raise the limit"), (ENOSPC, "make room"), (EACCES, "back to this user")],
)
def test_advice_fits_the_error(number: int, advice: str) -> None:
    told = str(refused("the state cannot be written", OSError(number, "")))
    assert advice in told
    assert ("make room" in told) == (number == ENOSPC)
