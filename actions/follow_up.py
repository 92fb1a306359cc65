"""Plan a task or an appointment with the person."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from actions.kind import ActionParameters, ClickFacts, Id, Kind, LinkFacts, changes_nothing_twice, needs_person
from actions.text import ReadableText, depends_on_click, fill

LARGEST_INT = 2**31 - 1


class CreateFollowUp(ActionParameters):
    """Somebody must get the follow-up: the person's "our contact", or else the default recipient.

    `created_by` is responsible for it, and gets it back when the assignee declines an invitation.
    """

    type: Literal["task", "appointment"]
    description: ReadableText
    project: Id | None = None
    task_type: Id | None = None
    created_by: Id
    assign_to_our_contact: bool = False
    default_recipient: Id | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=LARGEST_INT)] | None = None
    next_available_time: bool = False
    as_invitation: bool = False

    @model_validator(mode="after")
    def _somebody_gets_it(self) -> "CreateFollowUp":
        if not self.assign_to_our_contact and self.default_recipient is None:
            raise ValueError("nobody would get the follow-up; set assign_to_our_contact or name a default_recipient")
        return self


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
