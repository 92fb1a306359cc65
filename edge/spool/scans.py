"""The implementations of finding the records in a part of a segment."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from edge.spool import scan_py
from edge.spool.record import SpooledRecord
from runtime.records.implementation import PYTHON, C, best

Scan = Callable[[bytes, int], tuple[list[SpooledRecord], list[int], bool]]

_scans: dict[str, Scan] = {PYTHON: scan_py.scan}
try:
    from edge.spool import scan_c
except ImportError:  # there was no C compiler, or it was built for another Python
    pass
else:
    _scans[C] = scan_c.scan

SCANS: Mapping[str, Scan] = MappingProxyType(_scans)
"""The scans by the name of the implementation."""


def best_scan() -> Scan:
    """Return the fastest one."""
    return SCANS[best(SCANS)]
