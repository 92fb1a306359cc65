"""A log that cannot be written costs its lines and nothing else."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

import pytest

from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks
from tests.support.worker import LINK_ACTIONS

CLOSED = ("bash", "-c", 'exec "$0" "$@" 2>&-', *LINK_ACTIONS)
KINDS: Mapping[str, tuple[str, ...]] = {"one worker": (), "two workers": ("--workers", "2")}
PIECE = b"x" * 4096


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def arguments(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What `run` is called with."""
    options: tuple[str, ...] = request.param
    return options


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Give both ends of a pipe; either may be closed earlier."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def fill(end: int) -> None:
    """Write until the pipe is full, as with a suspended reader."""
    flags = fcntl.fcntl(end, fcntl.F_GETFL)
    fcntl.fcntl(end, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while os.write(end, PIECE):
            continue
    except BlockingIOError:
        fcntl.fcntl(end, fcntl.F_SETFL, flags)


def read_until(end: int, word: bytes) -> None:
    seen = b""
    while word not in seen:
        seen += os.read(end, 1)


def test_a_reader_that_goes_away(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    with pipe() as (reading, writing):
        worker = deployment.start("a", *arguments, stderr=writing)
        read_until(reading, b"worker.started")
        os.close(reading)
        work_through(deployment)
        assert worker.stop() == 0


def test_a_reader_that_stands_still(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    with pipe() as (_, writing):
        fill(writing)
        worker = deployment.start("a", *arguments, stderr=writing)
        work_through(deployment)
        assert worker.stop() == 0


def test_a_full_disk(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    worker = deployment.start("a", *arguments, stderr=full)
    os.close(full)
    work_through(deployment)
    assert worker.stop() == 0


def test_a_closed_descriptor(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    worker = deployment.start("a", *arguments, program=CLOSED)
    work_through(deployment)
    assert worker.stop() == 0


def test_the_exit_code_is_that_of_the_failure(deployment: Deployment) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    worker = deployment.start("a", settings={"LINK_ACTIONS_WORKERS": "none"}, stderr=full)
    os.close(full)
    assert worker.wait_exit() == 2


def work_through(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=3), 200))
    deployment.wait_done()
    assert_exact(deployment)
