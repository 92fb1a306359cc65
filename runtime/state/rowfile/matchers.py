"""The implementations of the matcher that are available."""

from collections.abc import Mapping
from types import MappingProxyType

from runtime.records.implementation import PYTHON, C, best
from runtime.state.rowfile import matcher_py
from runtime.state.rowfile.matcher import OpenMatcher

_matchers: dict[str, OpenMatcher] = {PYTHON: matcher_py.Matcher}
try:
    from runtime.state.rowfile import matcher_c
except ImportError:  # there was no C compiler, it was built for another Python, or the machine is big-endian
    pass
else:
    _matchers[C] = matcher_c.Matcher

MATCHERS: Mapping[str, OpenMatcher] = MappingProxyType(_matchers)
"""The matchers by the name of the implementation."""


def best_matcher() -> str:
    """Return the name of the implementation to use."""
    return best(MATCHERS)
