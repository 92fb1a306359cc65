"""Plan a task or an appointment with the person."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from actions.kind import ActionParameters, ClickFacts, Id, Kind, LinkFacts, changes_nothing_twice, needs_person
from actions.text import ReadableText, depends_on_click, fill

MAX_INT = 2**31 - 1


class CreateFollowUp(ActionParameters):
    """A follow-up needs a recipient: the person's "our contact", or else the default recipient.

    `created_by` is responsible for it, and gets it back when the assignee declines an invitation.
    """

    type: Literal["task", "appointment"]
    description: ReadableText
    project: Id | None = None
    task_type: Id | None = None
    created_by: Id
    assign_to_our_contact: bool = False
    default_recipient: Annotated[Id | None, Field(validate_default=True)] = None
    duration_minutes: Annotated[int, Field(ge=1, le=MAX_INT)] | None = None
    next_available_time: bool = False
    as_invitation: bool = False

    @field_validator("default_recipient")
    @classmethod
    def _somebody_gets_it(cls, default_recipient: str | None, earlier: ValidationInfo) -> str | None:
        if default_recipient is None and earlier.data.get("assign_to_our_contact") is False:
            raise ValueError("no one would get the follow-up; name one, or set assign_to_our_contact to true")
        return default_recipient


def _fields(parameters: CreateFollowUp, link: LinkFacts, click: ClickFacts | None) -> dict[str, Any]:
    return parameters.model_dump() | {"description": fill(parameters.description, link, click)}


def _per_click(parameters: CreateFollowUp) -> bool:
    return depends_on_click(parameters.description)


KIND = Kind(
    name="follow_up",
    update="CreateFollowUp",
    parameters=CreateFollowUp,
    needs=needs_person,
    fields=_fields,
    per_click=_per_click,
    changes=changes_nothing_twice,
)
