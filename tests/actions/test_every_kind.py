"""The promises that every kind keeps; a new kind is held to them by lying in the folder."""

from typing import Any

import pytest
from pydantic import ValidationError

from actions.kind import ActionParameters, Kind, Need
from actions.link import link_from_record, record_from_link
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.actions.builders import NOON, a_link, an_action, click_facts, kinds, link_facts, samples_of

SCHEMAS = load_schemas()
KINDS = kinds()
FIRST_RELEASE = {"set_field", "interest", "membership", "follow_up", "request", "script"}
CASES = [
    pytest.param(kind, sample, id=f"{name}-{number}")
    for name, kind in KINDS.items()
    for number, sample in enumerate(samples_of(name))
]
CLICKS = [
    click_facts(),
    click_facts(mailing_id=None, flow_id="f-1"),
    click_facts(clicked_at=NOON + 61_000),
    click_facts(link_hits=2),
]


def parameters_of(kind: Kind, sample: dict[str, Any]) -> ActionParameters:
    return kind.parameters.model_validate(sample)


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_the_fields_are_those_of_the_update_in_its_order(kind: Kind, sample: dict[str, Any]) -> None:
    fields = kind.fields(parameters_of(kind, sample), link_facts(), click_facts())

    assert list(fields) == [field["name"] for field in SCHEMAS[kind.update].parameter_fields]


@pytest.mark.parametrize("url", ["https://example.com/spring", None])
@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_the_update_can_be_encoded_and_reads_back_equal(kind: Kind, sample: dict[str, Any], url: str | None) -> None:
    shared = {"tenant_id": "acme", "link_id": "spring", "recipient_id": "r-1", "click_id": "c-1", "clicked_at": NOON}
    unknown = dict.fromkeys(("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id"))
    decided = {"update_id": "u-1", "link_version": 1, "epoch": 0, "action_id": "a"}
    fields = kind.fields(parameters_of(kind, sample), link_facts(url=url), click_facts(mailing_id=None))
    codec = Codec(SCHEMAS[kind.update])

    update = {**shared, **unknown, **decided, **fields}

    assert codec.decode(codec.encode(update)) == update


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_the_same_facts_give_the_same_fields(kind: Kind, sample: dict[str, Any]) -> None:
    first = kind.fields(parameters_of(kind, sample), link_facts(), click_facts())
    second = kind.fields(parameters_of(kind, sample), link_facts(), click_facts())

    assert first == second
    assert first is not second


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_per_click_tells_whether_clicks_make_a_difference(kind: Kind, sample: dict[str, Any]) -> None:
    parameters = parameters_of(kind, sample)
    seen = [kind.fields(parameters, link_facts(), click) for click in CLICKS]

    if kind.per_click(parameters):
        assert any(fields != seen[0] for fields in seen)
    else:
        assert all(fields == kind.fields(parameters, link_facts(), None) for fields in seen)


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_only_a_script_of_the_kinds_of_the_first_release_can_do_without_a_crm_card(
    kind: Kind, sample: dict[str, Any]
) -> None:
    need = kind.needs(parameters_of(kind, sample))

    assert (need is Need.NOTHING) == (kind.name == "script") or kind.name not in FIRST_RELEASE


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_the_parameters_survive_the_link_definition(kind: Kind, sample: dict[str, Any]) -> None:
    link = a_link(an_action(kind.name, **sample))
    codec = Codec(SCHEMAS["LinkDefined"])

    assert link_from_record(codec.decode(codec.encode(record_from_link(link))), KINDS) == link


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_parameters_that_nobody_knows_are_refused(kind: Kind, sample: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind.parameters.model_validate({**sample, "colour": "red"})


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_no_choice_takes_the_symbol_that_stands_for_later_ones(kind: Kind, sample: dict[str, Any]) -> None:
    choices = [name for name, schema in kind.parameters.model_json_schema()["properties"].items() if "enum" in schema]

    for choice in choices:
        with pytest.raises(ValidationError, match=choice):
            kind.parameters.model_validate({**sample, choice: "unknown"})


@pytest.mark.parametrize(("kind", "sample"), CASES)
def test_no_text_holds_half_a_character(kind: Kind, sample: dict[str, Any]) -> None:
    texts = [name for name, value in sample.items() if isinstance(value, str)]

    for text in texts:
        with pytest.raises(ValidationError, match=text):
            kind.parameters.model_validate({**sample, text: "\ud800"})
