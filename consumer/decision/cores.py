"""The implementations of the core that are available."""

from collections.abc import Mapping
from types import MappingProxyType

from consumer.decision import core_py
from consumer.decision.core import OpenCore
from runtime.records.implementation import PYTHON, C, best

_cores: dict[str, OpenCore] = {PYTHON: core_py.Core}
try:
    from consumer.decision import core_c
except ImportError:  # there was no C compiler, or it was built for another Python
    pass
else:
    _cores[C] = core_c.Core

CORES: Mapping[str, OpenCore] = MappingProxyType(_cores)
"""The cores by the name of the implementation."""


def best_core() -> str:
    """Return the name of the implementation to use."""
    return best(CORES)
