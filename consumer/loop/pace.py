"""How long clicks are gathered for one transaction: soon done when there is little to do, many at once when behind."""

from dataclasses import dataclass

SHORTEST_SECONDS = 0.005
"""So long the broker needs to end a transaction. One that begins earlier is told to wait, for 20 ms at least."""
SHARE = 0.5
"""Of the time that the last batch took. Who is behind has large batches, which take longer, and so gathers longer."""


@dataclass(frozen=True, slots=True)
class LingerPolicy:
    """`commit_interval_seconds` is the longest time of gathering; `drain` lets the loop end by itself."""

    commit_interval_seconds: float
    drain: bool = False

    def gathering_seconds(self, batch_seconds: float) -> float:
        """Return how long to gather after a first click, where the last batch took so long from decision to store."""
        return min(max(SHARE * batch_seconds, SHORTEST_SECONDS), self.commit_interval_seconds)
