"""Open a service request for the person."""

from typing import Any

from actions.kind import ActionParameters, ClickFacts, Id, Kind, LinkFacts, changes_nothing_twice, needs_person
from actions.text import ReadableText, depends_on_click, fill

NOT_A_USER = ("auto", "unassigned")
"""Words allowed instead of a user id: `auto` assigns by the rules of the category, `unassigned` to no user yet."""


class OpenRequest(ActionParameters):
    """`owner` is a user id, `auto` or `unassigned`."""

    title: ReadableText
    priority: Id | None = None
    category: Id | None = None
    owner: Id


def _fields(parameters: OpenRequest, link: LinkFacts, click: ClickFacts | None) -> dict[str, Any]:
    has_user = parameters.owner not in NOT_A_USER
    return {
        "title": fill(parameters.title, link, click),
        "priority": parameters.priority,
        "category": parameters.category,
        "assignment": "user" if has_user else parameters.owner,
        "owner": parameters.owner if has_user else None,
    }


def _per_click(parameters: OpenRequest) -> bool:
    return depends_on_click(parameters.title)


KIND = Kind(
    name="request",
    update="OpenRequest",
    parameters=OpenRequest,
    needs=needs_person,
    fields=_fields,
    per_click=_per_click,
    changes=changes_nothing_twice,
)
