"""Runs whatever is about the decision with each core."""

import os
from collections.abc import Iterator

import pytest

from consumer.decision.cores import COMPILED, CORES, PURE
from tests.decision.twins import core_on_trial


@pytest.fixture(autouse=True, scope="module", params=[COMPILED, PURE])
def core(request: pytest.FixtureRequest) -> Iterator[str]:
    """The core of this round; where CI runs there is a compiler, so both must be there."""
    name: str = request.param
    if name not in CORES:
        reason = "the compiled core is not built; a C compiler and `make install` make it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    token = core_on_trial.set(name)
    yield name
    core_on_trial.reset(token)
