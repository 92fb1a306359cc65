"""Runs without the program's log, which would cost more than the program."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def silenced() -> Iterator[None]:
    """Log nothing below critical."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
