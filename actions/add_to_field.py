"""Add an amount to a number in an extra field of the person, such as a lead score."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from actions.kind import (
    ActionParameters,
    Id,
    Kind,
    changes_nothing_twice,
    needs_person,
    parameters_as_fields,
    same_for_every_click,
)

MAX_WHOLE_DIGITS = 15
MAX_DECIMALS = 6

_DECIMAL = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")


def canonical_amount(text: str) -> str:
    """Return the one way to write this amount: 2.50 and +2.5 become 2.5. Raises ValueError that says what to write."""
    parts = _DECIMAL.fullmatch(text)
    if not parts:
        raise ValueError('it is not a decimal number; write digits, and if needed a minus and a point, such as "-2.5"')
    sign, whole, decimals = parts[1], parts[2].lstrip("0"), (parts[3] or "").rstrip("0")
    if not whole + decimals:
        raise ValueError("it is 0, which adds nothing; write another amount")
    if len(whole) > MAX_WHOLE_DIGITS or len(decimals) > MAX_DECIMALS:
        limits = f"at most {MAX_WHOLE_DIGITS} digits before the point and {MAX_DECIMALS} after it"
        raise ValueError(f"it has {len(whole)} digits before the point and {len(decimals)} after it; write {limits}")
    return f"{sign.strip('+')}{whole or '0'}{'.' if decimals else ''}{decimals}"


Amount = Annotated[
    str,
    AfterValidator(canonical_amount),
    WithJsonSchema({"type": "string", "pattern": rf"^{_DECIMAL.pattern}$"}),
]


class AddToField(ActionParameters):
    """`amount` is text, because a floating-point number would change it: 0.1 three times is not 0.3."""

    field: Id
    amount: Amount


KIND = Kind(
    name="add_to_field",
    update="AddToField",
    parameters=AddToField,
    needs=needs_person,
    fields=parameters_as_fields,
    per_click=same_for_every_click,
    changes=changes_nothing_twice,
)
