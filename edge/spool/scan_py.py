"""Finding the records in a part of a segment in Python; `scan_c` is the compiled counterpart."""

from itertools import islice

from edge.spool.record import DamagedRecord, SpooledRecord, records_in


def scan(buffer: bytes, count: int) -> tuple[list[SpooledRecord], list[int], bool]:
    """Return at most `count` records from the beginning of a buffer, where each ends, and whether damage follows."""
    records: list[SpooledRecord] = []
    ends: list[int] = []
    try:
        for record, end in islice(records_in(buffer), count):
            records.append(record)
            ends.append(end)
    except DamagedRecord:
        return records, ends, True
    return records, ends, False
