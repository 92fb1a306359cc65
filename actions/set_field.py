"""Set an extra field of the person to a literal value."""

from actions.kind import (
    ActionParameters,
    AnyText,
    Id,
    Kind,
    needs_person,
    parameters_as_fields,
    same_for_every_click,
)


class SetField(ActionParameters):
    """`value` may be empty, which empties the field."""

    field: Id
    value: AnyText


def _changes(parameters: SetField) -> str:
    return f"the field {parameters.field!r}"


KIND = Kind(
    name="set_field",
    update="SetField",
    parameters=SetField,
    needs=needs_person,
    fields=parameters_as_fields,
    per_click=same_for_every_click,
    changes=_changes,
)
