"""Modules that are compiled if there is a C compiler."""

import os
from importlib import import_module
from typing import Any

import pytest


def needs_compiled_parts(name: str) -> Any:
    """Return the module; a harness without a C compiler skips the tests of it, CI must have it."""
    if os.environ.get("CI"):
        return import_module(name)
    return pytest.importorskip(name, reason="a C compiler and `make install` make it")
