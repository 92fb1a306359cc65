"""Add the person to, or remove the person from, a CRM selection, a Service selection or a project."""

from typing import Literal

from actions.kind import ActionParameters, Id, Kind, needs_person, parameters_as_fields, same_for_every_click


class ChangeMembership(ActionParameters):
    """`target_id` is the id of the selection or project that `target` says."""

    operation: Literal["add", "remove"]
    target: Literal["crm_selection", "service_selection", "project"]
    target_id: Id


def _changes(parameters: ChangeMembership) -> str:
    return f"the membership of {parameters.target} {parameters.target_id!r}"


KIND = Kind(
    name="membership",
    update="ChangeMembership",
    parameters=ChangeMembership,
    needs=needs_person,
    fields=parameters_as_fields,
    per_click=same_for_every_click,
    changes=_changes,
)
