"""What tests share: a Kafka for the run, and topic names that no other test uses."""

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
from tests.support.patience import YARDSTICK, stretched

settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)
settings.register_profile("few", max_examples=10, database=None)

pytest_plugins = ["tests.support.leak_watch"]

KAFKA_FIXTURES = {"house", "kafka", "kafka_process"}
GROUPS = {
    "busy": ("tests/bench/", "tests/simulation/", "tests/planted/"),
    "locked": ("tests/security/",),
}
"""Tests that one of several processes runs, one after the other: those that need a core of their own, which would be in
each other's way, and those that share what is dear to start."""

KAFKA_LOGS = pytest.StashKey[list[Path]]()
KAFKA_MISSING = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The broker of this run, for whatever does no harm to it."""
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
    """A broker of the test's own, to kill, pause and start again; its parameter is another profile than TEST."""
    profile = getattr(request, "param", TEST)
    try:
        process = start_process(tmp_path / "kafka", environ=os.environ, profile=profile)
    except KafkaMissing as reason:
        do_without_kafka(pytestconfig, f"No Kafka process is to be had: {reason}.")
    pytestconfig.stash[KAFKA_LOGS].append(process.log_path)
    yield process
    process.kill()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that makes the topics of this test its own, on a broker that outlives the run too."""
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def do_without(pytestconfig: pytest.Config) -> Callable[[str], NoReturn]:
    """What a test that starts its brokers itself calls where none is to be had, with the reason."""
    return partial(do_without_kafka, pytestconfig)


def do_without_kafka(config: pytest.Config, reason: str) -> NoReturn:
    config.stash[KAFKA_MISSING] = reason.strip()
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[KAFKA_LOGS] = []
    # A shell has SIGINT ignored by what it runs in the background, and so would what a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    return f"waits: {YARDSTICK.stretch:.1f} times as long as on an idle machine, and measured again as they last"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: what the run must tell, another one tells
        stash = session.config.stash
        told = {"logs": [str(log_path) for log_path in stash[KAFKA_LOGS]], "missing": stash.get(KAFKA_MISSING, None)}
        session.config.workeroutput["kafka"] = told


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what one of several processes has to tell; nothing where it died."""
    told = getattr(node, "workeroutput", {}).get("kafka", {"logs": [], "missing": None})
    node.config.stash[KAFKA_LOGS] += map(Path, told["logs"])
    if told["missing"] is not None:
        node.config.stash[KAFKA_MISSING] = told["missing"]


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = next((name for name, paths in GROUPS.items() if item.nodeid.startswith(paths)), None)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
        if KAFKA_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give the test as much longer as its waits may last; of several markers, the first one counts."""
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else float(item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(stretched(seconds)), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if KAFKA_MISSING in config.stash:
        terminalreporter.section("tests that need a Kafka DID NOT RUN", yellow=True)
        terminalreporter.line(config.stash[KAFKA_MISSING])
    if terminalreporter.stats.keys() & {"failed", "error"}:
        for log_path in config.stash[KAFKA_LOGS]:
            terminalreporter.line(f"Kafka's log: {log_path}")
