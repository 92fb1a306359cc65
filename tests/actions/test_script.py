from typing import Any

import pytest

from actions.kind import Need
from actions.script import KIND, RunScript
from tests.actions.builders import click_facts, link_facts

SAMPLES: list[dict[str, Any]] = [{"script": "thank-you"}]


def test_the_script_is_told_the_link_s_url_and_hits() -> None:
    assert KIND.fields(RunScript(script="thank-you"), link_facts(), click_facts(link_hits=7)) == {
        "script": "thank-you",
        "link_url": "https://example.com/spring",
        "link_hits": 7,
        "return_url_applies": False,
    }


def test_a_link_without_url_says_so() -> None:
    assert KIND.fields(RunScript(script="x"), link_facts(url=None), click_facts())["link_url"] is None


def test_a_script_runs_for_a_plain_mail_address_too() -> None:
    assert KIND.needs(RunScript(script="x")) is Need.NOTHING


def test_the_hits_can_only_come_from_a_click() -> None:
    with pytest.raises(ValueError, match="which only a click has"):
        KIND.fields(RunScript(script="x"), link_facts(), None)
