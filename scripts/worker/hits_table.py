"""The clicks on each link over all partitions, as far as they are known: what a script sees as `linkHits`."""

from collections.abc import Callable

from runtime.ports import LogReader
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.definition_key import encode_link

_BATCH = 10_000
_WAIT_SECONDS = 0.1


class HitsTable:
    """Follows `link.hits.v1`, whose newest record of each link and partition counts; about 60 bytes for each."""

    def __init__(self, reader: LogReader, codec: Codec, partitions: int) -> None:
        """`codec` is that of `LinkHits`. Raises RetriableError."""
        self._reader = reader
        self._codec = codec
        self._partitions = range(partitions)
        self._epochs: dict[bytes, int] = {}
        self._clicks: dict[bytes, dict[int, int]] = {}
        for partition, (first, _) in reader.watermarks(self._partitions).items():
            reader.assign(partition, first)

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything written before this call, unless it is time to give up. Raises RetriableError."""
        ends = {partition: end for partition, (_, end) in self._reader.watermarks(self._partitions).items()}
        while any(self._reader.positions[p] < end for p, end in ends.items()) and not give_up():
            self.follow(_WAIT_SECONDS)

    def follow(self, timeout_seconds: float = 0.0) -> None:
        """Read what was written since the last call. Raises RetriableError."""
        for record in self._reader.poll(_BATCH, timeout_seconds):
            self._apply(record.value())

    def total(self, tenant_id: str, link_id: str, *, epoch: int, partition: int, own: int) -> int:
        """Return the clicks on a link in this epoch: `own` in this partition, and what is known of all others."""
        key = encode_link(tenant_id, link_id)
        if self._epochs.get(key) != epoch:
            return own
        return own + sum(clicks for other, clicks in self._clicks[key].items() if other != partition)

    def _apply(self, value: bytes | None) -> None:
        try:
            hits = self._codec.decode(value or b"")
        except BadRecord:
            return  # written by a newer program; the count is a little low until it is upgraded
        key = encode_link(hits["tenant_id"], hits["link_id"])
        if hits["epoch"] > self._epochs.get(key, -1):
            self._epochs[key], self._clicks[key] = hits["epoch"], {}
        if hits["epoch"] == self._epochs[key]:
            self._clicks[key][hits["partition"]] = hits["clicks"]
