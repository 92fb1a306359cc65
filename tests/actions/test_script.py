from typing import Any

import pytest
from pydantic import ValidationError

from actions.kind import Need
from actions.script import KIND, MAX_PARAMETER_BYTES, RunScript
from tests.actions.builders import click_facts, link_facts

SAMPLES: list[dict[str, Any]] = [
    {"script": "thank-you"},
    {"script": "score", "script_version": 3, "parameters": {"points": "5", "note": ""}},
]


def test_the_script_is_told_the_link_s_url_and_hits() -> None:
    assert KIND.fields(RunScript(script="thank-you"), link_facts(), click_facts(link_hits=7)) == {
        "script": "thank-you",
        "link_url": "https://example.com/spring",
        "link_hits": 7,
        "return_url_applies": False,
        "script_version": None,
        "parameters": {},
    }


def test_a_link_without_url_says_so() -> None:
    assert KIND.fields(RunScript(script="x"), link_facts(url=None), click_facts())["link_url"] is None


def test_a_script_runs_for_a_plain_mail_address_too() -> None:
    assert KIND.needs(RunScript(script="x")) is Need.NOTHING


def test_the_hits_can_only_come_from_a_click() -> None:
    with pytest.raises(ValueError, match="which only a click has"):
        KIND.fields(RunScript(script="x"), link_facts(), None)


def test_version_and_parameters_are_those_of_the_link() -> None:
    fields = KIND.fields(RunScript(script="x", script_version=7, parameters={"a": "b"}), link_facts(), click_facts())

    assert (fields["script_version"], fields["parameters"]) == (7, {"a": "b"})


@pytest.mark.parametrize("length", [4_096, 4_097])
def test_parameters_have_at_most_4_kib_in_all(length: int) -> None:
    parameters = {"é": "x" * (length - 5), "b": "ü"}

    if length <= MAX_PARAMETER_BYTES:
        assert RunScript(script="x", parameters=parameters).parameters == parameters
    else:
        with pytest.raises(ValidationError, match=r"have 4,097 bytes; shorten them to 4,096 in all"):
            RunScript(script="x", parameters=parameters)


@pytest.mark.parametrize("parameters", [{"": "x"}, {"points": 5}, {"points": None}, {"points": {"a": "b"}}, ["points"]])
def test_parameters_are_texts_by_name(parameters: Any) -> None:
    with pytest.raises(ValidationError, match="parameters"):
        RunScript.model_validate({"script": "x", "parameters": parameters})


@pytest.mark.parametrize("version", [0, -1, "1", 1.5])
def test_a_version_is_a_number_from_1(version: Any) -> None:
    with pytest.raises(ValidationError, match="script_version"):
        RunScript.model_validate({"script": "x", "script_version": version})


def test_defaults_are_left_out_of_records() -> None:
    """So that programs from before the parameters read the definition."""
    assert RunScript(script="x").model_dump() == {"script": "x"}
