from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.add_to_field import KIND, AddToField, canonical_amount
from tests.actions.builders import link_facts

SAMPLES: list[dict[str, Any]] = [{"field": "lead_score", "amount": "5"}, {"field": "balance", "amount": "-0.25"}]


def test_the_update_has_field_and_amount() -> None:
    parameters = AddToField(field="lead_score", amount="-2.5")

    assert KIND.fields(parameters, link_facts(), None) == {"field": "lead_score", "amount": "-2.5"}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("5", "5"),
        ("+5", "5"),
        ("-5", "-5"),
        ("007", "7"),
        ("2.50", "2.5"),
        ("10.000", "10"),
        ("-0.25", "-0.25"),
        ("00.1", "0.1"),
        ("9" * 15 + "." + "9" * 6, "9" * 15 + "." + "9" * 6),
        ("0" * 20 + "1", "1"),
        ("1.5" + "0" * 20, "1.5"),
    ],
)
def test_an_amount_has_one_way_to_be_written(written: str, canonical: str) -> None:
    assert AddToField(field="score", amount=written).amount == canonical


@pytest.mark.parametrize(
    "written",
    ["", " ", "NaN", "Infinity", "-inf", "1e9", "1E+21", "1,5", "1.000,5", " 5", "5 ", "5\n", "--5", ".5", "5.", "-",
     "0x10", "1_000", "٥", "½", "5%", "1.2.3"],
)  # fmt: skip
def test_what_is_no_decimal_number_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match=r'it is not a decimal number; write digits, .* such as "-2.5"'):
        AddToField(field="score", amount=written)


@pytest.mark.parametrize("written", ["0", "-0", "+0.00", "000"])
def test_adding_nothing_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="it is 0, which adds nothing"):
        AddToField(field="score", amount=written)


@pytest.mark.parametrize(("written", "counts"), [("1" * 16, "16 .* 0"), ("0.1234567", "0 .* 7")])
def test_the_precision_is_limited(written: str, counts: str) -> None:
    with pytest.raises(ValidationError, match=f"it has {counts} after it; write at most 15 digits before the point"):
        AddToField(field="score", amount=written)


def test_a_number_is_not_text() -> None:
    with pytest.raises(ValidationError, match="amount"):
        AddToField.model_validate({"field": "score", "amount": 5})


@given(st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=6).filter(bool))
def test_the_canonical_form_keeps_the_value_and_is_its_own(amount: Decimal) -> None:
    canonical = canonical_amount(f"{amount:f}")

    assert Decimal(canonical) == amount
    assert canonical_amount(canonical) == canonical


@given(st.text())
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert Decimal(canonical_amount(text))


def test_two_amounts_for_one_field_add_up() -> None:
    assert KIND.changes(AddToField(field="score", amount="1")) is None
