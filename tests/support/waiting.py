"""Waiting for what must come, instead of for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

LOOK_SECONDS = 0.02
"""How long lies between two looks."""

Seen = TypeVar("Seen")


class NeverCame(AssertionError):
    """What a test waited for did not come in time."""


def wait_until(look: Callable[[], Seen], what: str | Callable[[], str], *, timeout: float = 30.0) -> Seen:
    """Return what `look` returns as soon as that is true. Raises NeverCame, which says what was waited for."""
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise NeverCame(f"after {timeout:g} s there is still no {what() if callable(what) else what}")
        time.sleep(LOOK_SECONDS)
    return seen
