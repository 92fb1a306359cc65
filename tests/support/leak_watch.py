"""A part of pytest: fails the run in which personal data or a secret could be seen by who runs the program.

If the tests run in several processes, the xdist controller, whose folder contains all of theirs, does the search.
"""

import pytest

from tests.support.planted import leaks_in, leaks_of


class LeakWatch:
    """Reads what the tests said and left behind."""

    def __init__(self) -> None:
        self._leaks: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed:  # the text of a failure quotes what the test expected
            self._leaks += leaks_of(f"standard error of {report.nodeid}", report.capstderr)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        factory = getattr(session.config, "_tmp_path_factory", None)
        if factory is not None:
            self._leaks += leaks_in(factory.getbasetemp())
        if self._leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._leaks:
            terminalreporter.section("personal data or secrets WERE SEEN", red=True)
            for leak in self._leaks:
                terminalreporter.line(leak)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # which xdist gives to a process that another one gathers from
        config.pluginmanager.register(LeakWatch())
