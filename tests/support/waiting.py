"""Waiting for what must come, instead of for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.patience import Deadline

LOOK_SECONDS = 0.02
"""Interval between two polls."""

Seen = TypeVar("Seen")


class NeverCame(AssertionError):
    """A test's wait timed out."""


def wait_until(look: Callable[[], Seen], what: str | Callable[[], str], *, timeout: float = 30.0) -> Seen:
    """Return what `look` returns as soon as that is true. Raises NeverCame, which says what was waited for.

    `timeout` is in seconds of an idle machine.
    """
    deadline, begun = Deadline(timeout), time.monotonic()
    while not (seen := look()):
        if deadline.has_passed:
            waited = time.monotonic() - begun
            raise NeverCame(f"after {waited:.0f} s there is still no {what() if callable(what) else what}")
        time.sleep(LOOK_SECONDS)
    return seen
