"""Confirmation before a change that cannot be undone."""

import io
import sys

import pytest

from cli.confirmation import confirm
from consumer.links.versioning import Change, NextVersion
from runtime.errors import UsageError
from tests.actions.builders import a_link

RESET = NextVersion(Change.RESET, a_link(version=2, epoch=1), a_link())


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "is_confirmed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_asks_on_a_terminal_after_showing_consequences(
    answer: str, *, is_confirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", said)

    assert confirm([RESET], "reset") is is_confirmed
    assert "acme/spring version 2:\n  epoch: 0 → 1\n  => the epoch goes from 0 to 1" in said.getvalue()
    assert "Reset 1 link? [y/N]" in said.getvalue()
    assert said.getvalue().endswith("nothing was changed\n") is not is_confirmed


def test_refuses_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(UsageError, match="check its effect with --dry-run, then run it with --yes"):
        confirm([RESET], "reset")


def test_does_not_ask_if_nothing_changes() -> None:
    assert confirm([NextVersion(Change.UNCHANGED, a_link())], "delete")
