"""Output in a terminal of commands that need no broker."""

import os
import re

import pytest

from tests.support.terminal import run_in_terminal

ESCAPE = "\x1b["


def environ(**variables: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    plain.pop("NO_COLOR", None)
    return {**plain, "TERM": "xterm-256color", "LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", **variables}


@pytest.mark.parametrize("columns", [30, 80, 120])
def test_table_shows_whole_names_at_any_width(columns: int) -> None:
    shown = run_in_terminal(["acls"], environ(LINK_ACTIONS_TOPIC_PREFIX="a-long-prefix-of-one-team."), columns=columns)

    assert shown.code == 0
    assert len(re.findall(r"a-long-prefix-of-one-team\.link\.clicks\.dlq\.v1", shown.text)) >= 3
    assert "…" not in shown.text


def test_heading_is_bold_unless_plain_text_is_requested() -> None:
    assert ESCAPE in run_in_terminal(["acls"], environ()).raw
    assert ESCAPE not in run_in_terminal(["acls"], environ(NO_COLOR="1")).raw
    assert ESCAPE not in run_in_terminal(["acls"], environ(TERM="dumb")).raw


def test_advice_of_doctor_is_not_wrapped() -> None:
    shown = run_in_terminal(["doctor"], environ(LINK_ACTIONS_DEDUPE_RETENTION="1h"), columns=60)

    assert shown.code == 2
    assert any(
        line.strip().startswith("→ ") and line.endswith("LINK_ACTIONS_DEDUPE_RETENTION=90d") for line in shown.lines
    )


def test_escape_sequence_in_argument_is_escaped() -> None:
    shown = run_in_terminal(["clicks", "publish", "no\x1b[31msuch\u202e"], environ(NO_COLOR="1"))

    assert shown.code == 2
    assert r"no\x1b[31msuch\u202e cannot be read" in shown.text
    assert ESCAPE not in shown.raw
