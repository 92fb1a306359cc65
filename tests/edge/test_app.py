"""The messages of an edge that cannot start."""

from pathlib import Path

import pytest

from edge.app import _why_not_started, run_edge
from edge.settings import EdgeSettings
from runtime.config.environment import load_settings_of
from runtime.errors import UsageError
from runtime.ports import RetriableError, StateRefused
from tests.support.edge import KEYRING


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RetriableError("_TRANSPORT"), "needs the broker at its first start"),
        (StateRefused("the state cannot be written (No space left); make room"), "No space left"),
    ],
)
def test_true_cause_is_named(error: RetriableError, said: str) -> None:
    message = _why_not_started(error)
    assert said in message
    assert ("broker" in message) is not isinstance(error, StateRefused)


@pytest.mark.parametrize(("mode", "said"), [(None, "cannot be read"), (0o644, "chmod 600"), (0o600, "state")])
def test_unusable_keyring_ends_the_start(mode: int | None, said: str, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.yaml"
    if mode is not None:
        keyring.touch()
        keyring.write_text(KEYRING.replace("signing", "lost"))
        keyring.chmod(mode)
    environ = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "LINK_ACTIONS_EDGE_KEYRING": str(keyring)}
    with pytest.raises(UsageError, match=said):
        run_edge(load_settings_of(EdgeSettings, environ))
