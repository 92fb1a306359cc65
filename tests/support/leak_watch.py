"""A part of pytest: fails the run in which personal data or a secret could be seen by who runs the program."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.support.planted import leaks_in, leaks_of

LEAKS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEAKS] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.passed:  # the text of a failure quotes what the test expected
        item.config.stash[LEAKS] += leaks_of(f"standard error of {item.nodeid}", report.capstderr)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None:
        session.config.stash[LEAKS] += leaks_in(factory.getbasetemp())
    if session.config.stash[LEAKS]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    leaks = config.stash[LEAKS]
    if leaks:
        terminalreporter.section("personal data or secrets WERE SEEN", red=True)
        for leak in leaks:
            terminalreporter.line(leak)
