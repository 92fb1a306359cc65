"""Random scripts, only of steps that take no time on a real broker."""

from random import Random

from tests.scenarios.script import READY

STEPS = 14
IN_A_TRANSACTION = {"one produce": 6, "one commit": 3, "one abort": 2, "one renew": 1, "world open": 1, "world look": 2}
OUTSIDE = {"one begin": 6, "one renew": 1, "world open": 1, "world look": 1}


def draw_script(seed: int) -> list[str]:
    """Return a script in which each call comes when it may; the same seed gives the same."""
    random = Random(seed)
    steps: list[str] = []
    is_open = False
    for number in range(STEPS):
        weights = IN_A_TRANSACTION if is_open else OUTSIDE
        (step,) = random.choices([*weights], [*weights.values()])
        is_open = step == "one begin" or (is_open and step.split()[0] == "world") or step == "one produce"
        steps.append(_completed(step, number))
    return [*READY, *steps, "world look", "one renew", "world look", "one committed"]


def _completed(step: str, number: int) -> str:
    """Give it its arguments."""
    arguments = {"one produce": f" k={number}", "world open": f" {number}", "one commit": f" {number}"}
    return step + arguments.get(step, "")
