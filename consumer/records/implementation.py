"""Which implementation of a hot part runs: C, compiled by Cython where there was a C compiler, or Python.

A class has the same name in both, in `NAME_c.pyx` and `NAME_py.py`, and does the same; the tests hold them to it.
"""

import os
from collections.abc import Mapping

C, PYTHON = "c", "python"
VARIABLE = "LINK_ACTIONS_IMPLEMENTATION"
"""Environment variable, checked as a setting: `python` rules out everything that is compiled."""


def is_python_only() -> bool:
    """Return whether what is compiled is ruled out."""
    return os.environ.get(VARIABLE, "").strip().lower() == PYTHON


def best(available: Mapping[str, object]) -> str:
    """Return C if it is available and not ruled out, otherwise PYTHON."""
    return C if C in available and not is_python_only() else PYTHON
