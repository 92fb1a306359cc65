"""Selects the implementation of a hot part: C, compiled by Cython if a C compiler was found, or Python.

A class has the same name in both, in `NAME_c.pyx` and `NAME_py.py`, and does the same; the tests hold them to it.
"""

import os
from collections.abc import Mapping

C, PYTHON = "c", "python"
VARIABLE = "LINK_ACTIONS_IMPLEMENTATION"
"""Environment variable, checked as a setting: `python` disables all compiled parts."""


def is_python_only() -> bool:
    """Return whether compiled parts are disabled."""
    return os.environ.get(VARIABLE, "").strip().lower() == PYTHON


def best(available: Mapping[str, object]) -> str:
    """Return C if it is available and not disabled, otherwise PYTHON."""
    return C if C in available and not is_python_only() else PYTHON
