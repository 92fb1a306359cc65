from typing import Any

import pytest

from scripts.effects.effect import BadEffect, KindNotDeclared, effects_as_written, read_effects
from scripts.effects.script_update import script_names
from tests.scripts.effects.builders import KINDS, a_run_script, a_script_update

FIELD = {"kind": "set_field", "field": "size", "value": "L"}


@pytest.mark.parametrize(
    ("effect", "sentence"),
    [
        ("text", "effect 0: it is no object"),
        ({}, "effect 0: None is not a kind of action; known are add_to_field, follow_up"),
        ({"kind": "setfield"}, "effect 0: 'setfield' is not a kind of action"),
        ({"kind": ["interest"]}, r"\['interest'\] is not a kind of action"),
        ({"kind": "script", "script": "x"}, "a script cannot run a script; emit another kind"),
        (FIELD | {"repeat": "always"}, "it has a repeat; remove it, because the script's own action has the repeat"),
        (FIELD | {"guard": "confirm"}, "it has a guard; remove it"),
        (FIELD | {"colour": "red"}, r"effect 0 \(set_field\): colour is not known here; known are field, value"),
        ({"kind": "set_field", "field": "size"}, "value is missing; add it"),
        (FIELD | {"value": 5}, "value must be text"),
        (FIELD | {"value": "\ud800"}, "lone surrogate"),
        (FIELD | {"field": " x"}, "starts or ends with a blank"),
        (FIELD | {"id": 1}, "its id must be text"),
        (FIELD | {"id": ""}, "id: it is empty"),
        (FIELD | {"id": "a\x1fb"}, "control character"),
        ({"kind": "add_to_field", "field": "score", "amount": "1e9"}, "it is not a decimal number"),
    ],
)
def test_an_effect_that_is_none_is_refused(effect: Any, sentence: str) -> None:
    with pytest.raises(BadEffect, match=sentence):
        read_effects([effect], KINDS, KINDS)


def test_a_kind_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KindNotDeclared, match="does not declare the kind set_field; add it to its emits"):
        read_effects([FIELD], KINDS, ["interest"])


def test_one_bad_effect_fails_them_all() -> None:
    with pytest.raises(BadEffect, match="effect 1 "):
        read_effects([FIELD, FIELD | {"value": None}], KINDS, KINDS)


@pytest.mark.parametrize(
    "effects", [[FIELD | {"id": "a"}, FIELD | {"id": "a"}], [FIELD, FIELD | {"id": "0"}], [FIELD | {"id": "1"}, FIELD]]
)
def test_no_two_effects_have_the_same_id(effects: list[Any]) -> None:
    with pytest.raises(BadEffect, match="the effects 0 and 1 have the same id"):
        read_effects(effects, KINDS, KINDS)


@pytest.mark.parametrize(("count", "refused"), [(20, False), (21, True)])
def test_a_run_has_at_most_20_effects(count: int, *, refused: bool) -> None:
    if refused:
        with pytest.raises(BadEffect, match="there are 21 effects; emit at most 20"):
            read_effects([FIELD] * count, KINDS, KINDS)
    else:
        assert [each.effect_id for each in read_effects([FIELD] * count, KINDS, KINDS)] == list(map(str, range(count)))


def test_effects_as_written_name_defaults_and_ids() -> None:
    effects = read_effects([{"id": "a", "kind": "interest", "operation": "add", "interest": "x"}, FIELD], KINDS, KINDS)

    assert list(effects_as_written(effects)) == [
        {"id": "a", "kind": "interest", "operation": "add", "interest": "x", "scope": "person"},
        FIELD,
    ]


def test_a_script_sees_the_names_of_the_contract() -> None:
    assert script_names(a_run_script(company_id="c-9", flow_id="f", flow_run_id="fr")) == {
        "custId": "4711",
        "linkId": "spring",
        "shipmentId": "m-1",
        "linkUrl": "https://example.com/spring",
        "linkHits": 7,
        "click": {
            "recipientId": "r-1",
            "companyId": "c-9",
            "flowId": "f",
            "flowRunId": "fr",
            "clickId": "c-1",
            "clickedAt": 1_795_608_000_000,
            "linkVersion": 3,
            "epoch": 1,
            "actionId": "score",
            "returnUrlApplies": False,
        },
        "parameters": {"points": "5"},
    }


def test_key_and_partition_are_those_of_the_script_update() -> None:
    script = a_script_update()

    assert (script.key, script.partition) == (b"acme/r-1", 3)
