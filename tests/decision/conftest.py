"""Runs whatever is about the decision with each core."""

from collections.abc import Iterator

import pytest

from consumer.decision.cores import CORES
from runtime.records.implementation import PYTHON, C
from tests.decision.twins import core_on_trial


@pytest.fixture(autouse=True, scope="module", params=[C, PYTHON])
def core(request: pytest.FixtureRequest) -> Iterator[str]:
    """The core of this round; test_cores.py tells where it may be missing."""
    name: str = request.param
    if name not in CORES:
        pytest.skip("the compiled core is not built; a C compiler and `make install` make it")
    token = core_on_trial.set(name)
    yield name
    core_on_trial.reset(token)
