"""Which cores there are, and which one is used: the compiled one where it could be built, else its pure twin."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from consumer.decision.core import Core, OpenCore
from consumer.decision.pure import PureCore
from schemas.click import ClickLayout

try:
    from consumer.decision.compiled import CompiledCore
except ImportError:  # no C compiler was there, or it was built for another Python
    _IS_COMPILED = False
else:
    _IS_COMPILED = True

COMPILED, PURE = "compiled", "pure"


def open_compiled(values: Sequence[bytes], layouts: Mapping[bytes, ClickLayout]) -> Core:
    """Cut the values by the compiled core; its twin takes the batch where the compiled one doubts a good click."""
    core = CompiledCore(values, layouts)
    return PureCore(list(values), layouts) if core.in_doubt else core


CORES: Mapping[str, OpenCore] = MappingProxyType(({COMPILED: open_compiled} if _IS_COMPILED else {}) | {PURE: PureCore})
"""The cores that are to be had, the fastest first."""


def fastest() -> str:
    """Return the name of the core to use."""
    return next(iter(CORES))
