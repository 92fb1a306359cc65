"""Shared fixtures: a Kafka broker for the run, and unique topic names."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import Phase, settings

from deploy.kafka import TEST, Broker, KafkaMissing, KafkaProcess, start_kafka, start_process
from tests.support.patience import YARDSTICK, stretched_test_timeout

settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)
settings.register_profile("few", max_examples=10, database=None)

pytest_plugins = ["tests.support.leak_watch"]

KAFKA_FIXTURES = {"house", "kafka", "kafka_process"}
GROUPS = {
    "busy": ("tests/bench/", "tests/simulation/", "tests/planted/"),
    "locked": ("tests/security/",),
}
"""Tests that run one after the other in one process: those that need a core for themselves, and those that share an
expensive setup."""

KAFKA_LOGS = pytest.StashKey[list[Path]]()
KAFKA_MISSING = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The shared broker of this run; tests must not disturb it."""
    reasons: list[str] = []
    broker = start_kafka(tmp_path_factory.mktemp("kafka"), environ=os.environ, tell=reasons.append)
    if broker is None:
        do_without_kafka(pytestconfig, " ".join(reasons))
    if broker.log_path is not None:
        pytestconfig.stash[KAFKA_LOGS].append(broker.log_path)
    yield broker
    broker.stop()


@pytest.fixture
def kafka_process(
    tmp_path: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[KafkaProcess]:
    """A broker for one test to kill, pause and restart; the parameter is its profile, TEST by default."""
    profile = getattr(request, "param", TEST)
    try:
        process = start_process(tmp_path / "kafka", environ=os.environ, profile=profile)
    except KafkaMissing as reason:
        do_without_kafka(pytestconfig, f"Cannot start a Kafka process: {reason}.")
    pytestconfig.stash[KAFKA_LOGS].append(process.log_path)
    yield process
    process.kill()


@pytest.fixture
def topic_prefix() -> str:
    """A unique topic prefix, because the broker may outlive the run."""
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def do_without(pytestconfig: pytest.Config) -> Callable[[str], NoReturn]:
    """Skips a test that starts its own brokers if they cannot start; takes the reason."""
    return partial(do_without_kafka, pytestconfig)


def do_without_kafka(config: pytest.Config, reason: str) -> NoReturn:
    config.stash[KAFKA_MISSING] = reason.strip()
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[KAFKA_LOGS] = []
    # Shells start background jobs with SIGINT ignored, and the processes that tests interrupt would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    return f"waits: {YARDSTICK.stretch:.1f} times as long as on an idle machine, measured again while they last"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # an xdist worker: the controller prints the summary
        stash = session.config.stash
        sent = {"logs": [str(log_path) for log_path in stash[KAFKA_LOGS]], "missing": stash.get(KAFKA_MISSING, None)}
        session.config.workeroutput["kafka"] = sent


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the Kafka logs and the skip reason of an xdist worker, if it lived to send them."""
    sent = getattr(node, "workeroutput", {}).get("kafka", {"logs": [], "missing": None})
    node.config.stash[KAFKA_LOGS] += map(Path, sent["logs"])
    if sent["missing"] is not None:
        node.config.stash[KAFKA_MISSING] = sent["missing"]


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = next((name for name, paths in GROUPS.items() if item.nodeid.startswith(paths)), None)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
        if KAFKA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stretch the test's time-out by the load; of several markers, the first one counts."""
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else float(item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(stretched_test_timeout(seconds)), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if KAFKA_MISSING in config.stash:
        terminalreporter.section("tests that need Kafka DID NOT RUN", yellow=True)
        terminalreporter.line(config.stash[KAFKA_MISSING])
    if terminalreporter.stats.keys() & {"failed", "error"}:
        for log_path in config.stash[KAFKA_LOGS]:
            terminalreporter.line(f"Kafka's log: {log_path}")
