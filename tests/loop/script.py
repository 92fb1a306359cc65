"""Scripted failures: an event before or after chosen calls of the ports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MAX_CALLS = 5_000
"""A run with more calls is in an endless loop."""


class Crash(BaseException):
    """The process dies without any cleanup."""


@dataclass(frozen=True)
class Happening:
    """An event at one call: `before` it, or `after` it took effect."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


class Script:
    """Counts the calls of all ports of one worker in one sequence, and triggers events at some of them."""

    def __init__(self, happenings: Mapping[int, Happening] | None = None) -> None:
        self.calls: list[str] = []
        self._happenings = dict(happenings or {})
        self._repeated: dict[str, tuple[Happening, int]] = {}

    @classmethod
    def at_every(cls, name: str, happening: Happening, *, times: int = MAX_CALLS) -> "Script":
        """Return a script in which it happens at the first so many calls of this name."""
        script = cls()
        script.at_every_too(name, happening, times=times)
        return script

    def at_every_too(self, name: str, happening: Happening, *, times: int = MAX_CALLS) -> None:
        """Have it happen at the first so many calls of this name, too."""
        self._repeated[name] = happening, times

    def call(
        self, name: str, act: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        happening = self._what_happens(name)
        self.calls.append(name)
        if len(self.calls) > MAX_CALLS:
            raise AssertionError(f"the loop is endless: … {self.calls[-40:]}")
        if happening.before:
            happening.before()
        result = act(*arguments, **named)
        if happening.after:
            happening.after()
        return result

    def _what_happens(self, name: str) -> Happening:
        repeated, times = self._repeated.get(name, (Happening(), 0))
        if times:
            self._repeated[name] = repeated, times - 1
            return repeated
        return self._happenings.get(len(self.calls), Happening())


def raising(error: BaseException) -> Callable[[], None]:
    """Return a function that raises the error."""

    def happen() -> None:
        raise error

    return happen
