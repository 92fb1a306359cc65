"""The work on each click of a batch.

It is implemented twice, equal in all but speed: in Python with numpy (`core_py`), and in C (`core_c`), which takes a
third of the time. What is done once per batch or link, or for few clicks, is in neither.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

from consumer.decision.candidates import Candidates, Clicks, LookUp
from consumer.decision.decision import DecisionDraft
from consumer.decision.hits import Hits
from consumer.decision.plan import LinkPlan, Plans
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout

DecideOnSlowPath = Callable[[int, LinkPlan, bytes, bytes | None], None]
"""Decides the click in a row, given its plan, its dedupe key and the stored entry under that key."""

Settled = tuple[Mapping[LinkPlan, int], Mapping[LinkPlan, int]]
"""Clicks per plan with all actions applied, and clicks per plan that were duplicates for all actions."""


class Core(Protocol):
    """The work on each click of one batch."""

    @property
    def clicks(self) -> Clicks:
        """The clicks, for callers that read only a few of them."""

    @property
    def bad(self) -> Mapping[int, BadRecord]:
        """The records that are not valid clicks, by row."""

    def rows_outside(self, earliest: int, latest: int) -> Sequence[int]:
        """Return the rows of the clicks made before `earliest` or after `latest`."""

    def choose(self, partition: int, partitions: int, plans: Plans, decision: DecisionDraft) -> Candidates:
        """Settle the clicks that need no look-up in the state, and return the others.

        Those in a wrong partition and the dead letters go into the decision, tests and undefined links are counted.
        """

    def count_hits(self, links: Sequence[LinkPlan], look_up: LookUp) -> Hits:
        """Look up the click counts of these links, each given once."""

    def decide(
        self,
        candidates: Candidates,
        found: Sequence[bytes | None],
        decision: DecisionDraft,
        *,
        sequential: Container[LinkPlan],
        retention_ms: int | None,
        slow_path: DecideOnSlowPath,
    ) -> Settled:
        """Decide the candidates in their order.

        The plain first and the plain duplicate click are handled here; those on `sequential` plans, those that are no
        hits, and all others by `slow_path`. `found` is what the state knows under the keys of the candidates.
        """


OpenCore = Callable[[Sequence[bytes], Mapping[bytes, ClickLayout]], Core]
"""Parses the values whose headers are among the layouts; no value makes it raise, whatever it contains."""
