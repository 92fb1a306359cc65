"""The question before something that cannot be taken back."""

import io
import sys

import pytest

from consumer.cli.confirmation import agreed
from consumer.errors import UsageError
from consumer.links.versioning import Change, PlannedLink
from tests.actions.builders import a_link

RESET = PlannedLink(Change.RESET, a_link(version=2, epoch=1), a_link())


class Terminal(io.StringIO):
    """A stream of which somebody sits in front."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "is_agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_says_what_it_means_and_asks(
    answer: str, *, is_agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", said)

    assert agreed([RESET], "reset") is is_agreed
    assert "acme/spring version 2:\n  epoch: 0 → 1\n  => the epoch goes from 0 to 1" in said.getvalue()
    assert "Reset 1 link? [y/N]" in said.getvalue()
    assert said.getvalue().endswith("nothing was done\n") is not is_agreed


def test_without_a_terminal_it_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(UsageError, match="look at what it would do with --dry-run, then call it with --yes"):
        agreed([RESET], "reset")


def test_where_nothing_would_change_nobody_is_asked() -> None:
    assert agreed([PlannedLink(Change.UNCHANGED, a_link())], "delete")
