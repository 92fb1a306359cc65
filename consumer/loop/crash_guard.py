"""Clicks that the process dies of: found by a note on disk, a smaller batch at each start, until one is alone.

A record that kills the process gives no time to say so, and comes again at the next start. So what is being decided is
noted before, and the note cleared after. A worker that finds one left behind was killed in the middle: it does
those records in pieces, noting each. A record that was alone in its piece and at whose decision the process died
twice becomes a dead letter undecided. A kill from outside hardly ever meets the same record alone twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog

from consumer.errors import LinkActionsError
from consumer.loop.marker_file import MarkerFile
from consumer.loop.work_note import NOTHING, InFlightMarker, read_note
from consumer.ports import ConsumerRecord, RetriableError, TransactionAborted
from schemas.bad_record import BadRecord, Reason

_LOG = structlog.get_logger(__name__)

PIECES = 200
"""Into how many the records are cut that the process died over: some seconds of small transactions at most, and even
of 64,000 records one is alone at the second cut, before a supervisor takes the deaths for a crash loop."""
MAX_CRASHES = 2
"""So many deaths over one record, alone, condemn it."""

Ranges = Mapping[int, tuple[int, int]]
PartitionRecords = Mapping[int, Sequence[ConsumerRecord]]


class PoisonPillGuard:
    """Notes on the page what is being decided, and knows what the last life left there.

    `condemn` has a record become a dead letter whatever it holds: partition, offset, and why.
    """

    def __init__(self, page: MarkerFile, condemn: Callable[[int, int, BadRecord], object]) -> None:
        self._page = page
        left = read_note(page.read())
        self._suspected = dict(left.ranges)
        self._piece = max(left.size // PIECES, 1)
        self._alone: Ranges = left.ranges if left.size == 1 else {}
        self._deaths = left.deaths + 1
        if left.ranges:
            _LOG.warning("death.found", ranges={str(p): list(each) for p, each in left.ranges.items()})
        if self._alone and self._deaths >= MAX_CRASHES:
            self._condemn(condemn)

    def pieces(self, records: PartitionRecords) -> Iterator[PartitionRecords]:
        """Yield the batch whole or, of what the last life died over, piece by piece, and then the rest."""
        rest = dict(records)
        for partition in sorted(self._suspected.keys() & records.keys()):
            mine, end = records[partition], self._suspected[partition][1]
            inside = sum((record.offset() or 0) < end for record in mine)
            for first in range(0, inside, self._piece):
                yield {partition: mine[first : min(first + self._piece, inside)]}
            rest[partition] = mine[inside:]
            if (mine[-1].offset() or 0) >= end - 1:
                del self._suspected[partition]
        left = {partition: mine for partition, mine in rest.items() if mine}
        if left:
            yield left

    @contextmanager
    def deciding(self, records: PartitionRecords) -> Iterator[None]:
        """Have the note say, within the block, that these records are being decided.

        It stays if the process dies in the block or leaves it by an unexpected error. Raises RetriableError.
        """
        ranges = {p: (mine[0].offset() or 0, (mine[-1].offset() or 0) + 1) for p, mine in records.items()}
        self._page.write(InFlightMarker(ranges, self._deaths if ranges == self._alone else 0).encode())
        try:
            yield
        except (TransactionAborted, RetriableError, LinkActionsError):
            self._page.write(NOTHING)
            raise
        self._page.write(NOTHING)

    def _condemn(self, condemn: Callable[[int, int, BadRecord], object]) -> None:
        ((partition, (offset, _)),) = self._alone.items()
        detail = f"the process died {self._deaths} times while it decided this record alone"
        condemn(partition, offset, BadRecord(Reason.PROCESS_CRASH, detail))
        _LOG.error("record.condemned", partition=partition, offset=offset, deaths=self._deaths)
