from collections.abc import Container, Mapping, Sequence

from consumer.decision.candidates import Candidates, Clicks, LookUp
from consumer.decision.core import DecideOnSlowPath, Settled
from consumer.decision.decision import DecisionDraft
from consumer.decision.hits_c import Hits
from consumer.decision.plan import LinkPlan, Plans
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout

class Core:
    @property
    def clicks(self) -> Clicks: ...
    @property
    def bad(self) -> Mapping[int, BadRecord]: ...
    def __init__(self, values: Sequence[bytes], layouts: Mapping[bytes, ClickLayout]) -> None: ...
    def __len__(self) -> int: ...
    def rows_outside(self, earliest: int, latest: int) -> Sequence[int]: ...
    def choose(self, partition: int, partitions: int, plans: Plans, decision: DecisionDraft) -> Candidates: ...
    def count_hits(self, links: Sequence[LinkPlan], look_up: LookUp) -> Hits: ...
    def decide(
        self,
        candidates: Candidates,
        found: Sequence[bytes | None],
        decision: DecisionDraft,
        *,
        sequential: Container[LinkPlan],
        retention_ms: int | None,
        slow_path: DecideOnSlowPath,
    ) -> Settled: ...
