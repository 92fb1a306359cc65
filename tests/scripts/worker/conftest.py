"""One sandbox for all tests, and a deployment for each."""

from collections.abc import Iterator

import pytest

from scripts.sandbox.process import Sandbox
from tests.scripts.worker.environment import ScriptEnvironment


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("guest"))
    yield sandbox
    sandbox.close()


@pytest.fixture
def environment(sandbox: Sandbox) -> ScriptEnvironment:
    return ScriptEnvironment(sandbox)
