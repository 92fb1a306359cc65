"""Leaves logging as it was: a command configures it for the whole process."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.monitoring.logs import CLIENT_LIBRARY


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, client = logging.getLogger(), logging.getLogger(CLIENT_LIBRARY)
    before = root.handlers, root.level, client.level
    yield
    root.handlers, level, client_level = before
    root.setLevel(level)
    client.setLevel(client_level)
    structlog.reset_defaults()
