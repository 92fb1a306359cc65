"""Which matchers there are: the compiled one where it could be built, and its twin in numpy."""

from collections.abc import Mapping
from types import MappingProxyType

from consumer.state.rowfile.matcher import OpenMatcher
from consumer.state.rowfile.numpy_matcher import NumpyMatcher

COMPILED, NUMPY = "compiled", "numpy"

_matchers: dict[str, OpenMatcher] = {}
try:
    from consumer.state.rowfile.compiled_matcher import CompiledMatcher
except ImportError:  # no C compiler was there, it was built for another Python, or the machine is big-endian
    pass
else:
    _matchers[COMPILED] = CompiledMatcher
_matchers[NUMPY] = NumpyMatcher

MATCHERS: Mapping[str, OpenMatcher] = MappingProxyType(_matchers)
"""The matchers that are to be had, the fastest first."""


def fastest() -> str:
    """Return the name of the matcher to use."""
    return next(iter(MATCHERS))
