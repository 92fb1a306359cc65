"""Several workers at once, of which one runs at a time: a seed says who goes on at each call of a port."""

import threading
from collections.abc import Callable, Mapping
from random import Random
from typing import ParamSpec, TypeVar

from tests.loop.script import Happening, Script

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
WAIT_SECONDS = 60.0
"""Only a bug of the tests makes anybody wait this long."""


class Baton:
    """Whoever has it runs. The same seed gives the same story, though each worker has a thread of its own."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._condition = threading.Condition()
        self._runners: list[str] = []
        self._holder = ""

    def run(self, runners: Mapping[str, Callable[[], None]]) -> None:
        """Run them all to their ends; raises what one of them raised."""
        self._runners = [*runners]
        self._holder = self._runners[0]
        failures: list[BaseException] = []
        threads = [threading.Thread(target=self._carry, args=(name, act, failures)) for name, act in runners.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for failure in failures:
            raise failure

    def pass_on(self, name: str) -> None:
        """Let somebody go on, and return when it is one's own turn again."""
        with self._condition:
            self._choose()
            self._wait(name)

    def _carry(self, name: str, act: Callable[[], None], failures: list[BaseException]) -> None:
        with self._condition:
            self._wait(name)
        try:
            act()
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(failure)
        with self._condition:
            self._runners.remove(name)
            self._choose()

    def _choose(self) -> None:
        self._holder = self._random.choice(self._runners) if self._runners else ""
        self._condition.notify_all()

    def _wait(self, name: str) -> None:
        if not self._condition.wait_for(lambda: self._holder == name, WAIT_SECONDS):
            raise TimeoutError(f"{name} never got its turn")


class ChancyScript(Script):
    """Passes the baton on before each call, and lets chance decide what goes wrong at it."""

    def __init__(self, baton: Baton, name: str, choose: Callable[[str], Happening]) -> None:
        super().__init__()
        self._baton = baton
        self._name = name
        self._choose = choose

    def call(
        self, name: str, act: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        self._baton.pass_on(self._name)
        return super().call(name, act, *arguments, **named)

    def _what_happens(self, name: str) -> Happening:
        return self._choose(name)
