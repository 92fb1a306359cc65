"""Workers that share the partitions, interleaved call by call as a seed says, with mishaps and deaths on the way."""

from dataclasses import dataclass, replace
from functools import partial
from random import Random

import pytest

from consumer.errors import StreamFatal
from consumer.loop.counts import BatchCounts
from consumer.streams import Unreachable
from tests.loop.baton import Baton, ChancyScript
from tests.loop.exactness import require_all_counted, require_exact
from tests.loop.failures import SURVIVED
from tests.loop.house import GROUP, House, Worker
from tests.loop.scenario import BITE, tell
from tests.loop.script import Crash, Happening, raising
from tests.loop.scripted_ports import ScriptedState

SEEDS = range(30)
DEATHS = 4
"""How often one worker may die."""
STANDSTILL_CALLS = 20
"""For how many turns of the baton a worker stands still, at least."""


@dataclass(frozen=True)
class Chances:
    """How likely each is at one call of a port."""

    mishap: float = 0.0
    """The call fails in one of the ways in which it can."""
    standstill: float = 0.0
    """The worker stands still for longer than session and transaction last, and goes on as if nothing had been."""
    death: float = 0.0


class Crew:
    """Workers over one house; each comes back when it has died, until its last life, in which it does not die."""

    def __init__(self, seed: int, *, workers: int, chances: Chances | None = None) -> None:
        self.house = House()
        self.story = tell(self.house)
        self.disks = {f"worker-{number}": ScriptedState() for number in range(workers)}
        self.counts = BatchCounts()
        self._baton = Baton(seed)
        self._random = Random(seed)
        self._chances = chances or Chances()

    def work(self) -> None:
        self._baton.run({name: partial(self._live, name) for name in self.disks})

    def _live(self, name: str) -> None:
        deaths = 0
        while True:
            try:
                self._run(name, replace(self._chances, death=self._chances.death if deaths < DEATHS else 0.0))
            except (Crash, StreamFatal, Unreachable) as end:
                deaths += isinstance(end, Crash)
                self.house.put_out(name)
            else:
                return

    def _run(self, name: str, chances: Chances) -> None:
        script = ChancyScript(self._baton, name, lambda call: self._choose(name, call, chances))
        worker = Worker(self.house, self.disks[name], name=name, script=script, bite=BITE)
        try:
            worker.run()
        finally:
            self.counts += worker.counts

    def _choose(self, name: str, call: str, chances: Chances) -> Happening:
        roll = self._random.random()
        if roll < chances.death:
            return Happening(before=raising(Crash()))
        if roll < chances.death + chances.standstill:
            return Happening(before=lambda: self._stand_still(name))
        possible = [failure.happening for failure in SURVIVED.values() if call in failure.calls]
        if possible and roll < chances.death + chances.standstill + chances.mishap:
            return self._random.choice(possible)
        return Happening()

    def _stand_still(self, name: str) -> None:
        self.house.put_out(name)
        transactions, transactional_id = self.house.cluster.transactions, f"{GROUP}-{name}"
        if transactional_id in transactions.open_transactions:
            transactions.expire(transactional_id)
        for _ in range(STANDSTILL_CALLS):
            self._baton.pass_on(name)


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_that_share_the_partitions_do_everything_once(workers: int) -> None:
    for seed in SEEDS:
        crew = Crew(seed, workers=workers)
        crew.work()
        require_exact(crew.story, *crew.disks.values())
        require_all_counted(crew.story, crew.counts)


@pytest.mark.parametrize(
    "chances",
    [
        pytest.param(Chances(mishap=0.05), id="mishaps"),
        pytest.param(Chances(standstill=0.02), id="standstills"),
        pytest.param(Chances(mishap=0.02, death=0.005), id="mishaps and deaths"),
        pytest.param(Chances(mishap=0.02, standstill=0.01, death=0.005), id="all of it"),
    ],
)
def test_whatever_befalls_workers_that_share_the_partitions_changes_nothing(chances: Chances) -> None:
    for seed in SEEDS:
        crew = Crew(seed, workers=2 + seed % 3, chances=chances)
        crew.work()
        require_exact(crew.story, *crew.disks.values())


def test_the_same_seed_tells_the_same_story() -> None:
    def places(seed: int) -> list[tuple[int, int]]:
        crew = Crew(seed, workers=2, chances=Chances(mishap=0.05, death=0.005))
        crew.work()
        return [(record.partition(), record.offset()) for record in crew.house.read(crew.house.names.changelog)]

    assert places(7) == places(7)
