"""Which cores there are, and which one is used: the compiled one where it could be built, else its pure twin."""

from collections.abc import Mapping
from types import MappingProxyType

from consumer.decision.core import OpenCore
from consumer.decision.pure import PureCore

COMPILED, PURE = "compiled", "pure"

try:
    from consumer.decision.compiled import CompiledCore
except ImportError:  # no C compiler was there, or it was built for another Python
    _COMPILED_CORES: dict[str, OpenCore] = {}
else:
    _COMPILED_CORES = {COMPILED: CompiledCore}

CORES: Mapping[str, OpenCore] = MappingProxyType(_COMPILED_CORES | {PURE: PureCore})
"""The cores that are to be had, the fastest first."""


def fastest() -> str:
    """Return the name of the core to use."""
    return next(iter(CORES))
