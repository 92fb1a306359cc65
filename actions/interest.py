"""Add an interest to, or remove it from, the person or the company."""

from typing import Literal

from actions.kind import ActionParameters, Id, Kind, Need, parameters_as_fields, same_for_every_click


class ChangeInterest(ActionParameters):
    """`scope` says whose card changes: the person's, unless the link says the company's."""

    operation: Literal["add", "remove"]
    interest: Id
    scope: Literal["person", "company"] = "person"


def _needs(parameters: ChangeInterest) -> Need:
    return Need.COMPANY if parameters.scope == "company" else Need.PERSON


def _changes(parameters: ChangeInterest) -> str:
    return f"the {parameters.scope}'s interest {parameters.interest!r}"


KIND = Kind(
    name="interest",
    update="ChangeInterest",
    parameters=ChangeInterest,
    needs=_needs,
    fields=parameters_as_fields,
    per_click=same_for_every_click,
    changes=_changes,
)
