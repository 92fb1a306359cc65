"""When a draining worker is done: everything that was in the topic at its start is committed, by whomever."""

from collections.abc import Collection, Mapping

from consumer.streams import ClickStream


class Drain:
    """Remembers where the partitions ended."""

    def __init__(self, stream: ClickStream) -> None:
        """Raises Unreachable."""
        self._stream = stream
        self._targets = stream.ends()

    def is_done(self, live: Collection[int]) -> bool:
        """Tell whether the whole group has done what was there; `live` are the partitions worked on here.

        Raises Aborted, Unreachable.
        """
        ends = {partition: self._stream.end_met(partition) for partition in live}
        met = {partition: end for partition, end in ends.items() if end is not None}
        if len(met) < len(ends):
            return False
        committed = {**self._stream.committed(), **self._commit_ends(met)}
        return all(committed[partition] >= target for partition, target in self._targets.items())

    def _commit_ends(self, ends: Mapping[int, int]) -> Mapping[int, int]:
        """Commit the ends that were met: they step over control records, which no offset of a click does."""
        committed = self._stream.committed()
        ahead = {partition: end for partition, end in ends.items() if end > committed[partition]}
        if ahead:
            self._stream.begin()
            self._stream.commit(ahead)
        return ahead
