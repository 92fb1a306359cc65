"""The topic and own fields of an update by kind of action, written from the design."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

Record = Mapping[str, Any]

NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
"""The namespace of every update id, as published."""

TOPICS = {
    "set_field": "crm-updates.set-field.v1",
    "add_to_field": "crm-updates.add-to-field.v1",
    "interest": "crm-updates.interest.v1",
    "membership": "crm-updates.membership.v1",
    "follow_up": "crm-updates.follow-up.v1",
    "request": "crm-updates.request.v1",
    "script": "crm-updates.script.v1",
}
RECORDS = {
    "set_field": "SetField",
    "add_to_field": "AddToField",
    "interest": "ChangeInterest",
    "membership": "ChangeMembership",
    "follow_up": "CreateFollowUp",
    "request": "OpenRequest",
    "script": "RunScript",
}
KINDS = {f"link_actions.{record}Parameters": kind for kind, record in RECORDS.items()}
"""Kind by the full name of its parameters record in a link definition."""

SHARED = (
    "tenant_id",
    "link_id",
    "recipient_id",
    "click_id",
    "clicked_at",
    "person_id",
    "company_id",
    "mailing_id",
    "flow_id",
    "flow_run_id",
)
"""The fields that every update copies from its click."""

DECIDED = ("update_id", "link_version", "epoch", "action_id")
"""The fields that follow those in every update; the remaining ones belong to its kind."""

_PLACEHOLDER = re.compile(r"\{(link_name|link_id|link_url|mailing_id|flow_id|clicked_at)\}")


class UnknownKind(Exception):
    """A link has an action of a kind that this module does not have."""


def kind_of(parameters_record: str) -> str:
    """Return the kind of action by the full name of its parameters record. Raises UnknownKind."""
    kind = KINDS.get(parameters_record)
    if kind is None:
        raise UnknownKind(
            f"The reference model does not know the kind of action with the parameters {parameters_record};"
            " add its topic, record and own fields to consumer/verify/update_record.py."
        )
    return kind


def update_id(link: Record, action_id: str, recipient_id: str, scope: str) -> str:
    """Return the UUIDv5 of tenant, link, epoch, action, recipient and scope, joined by U+001F."""
    parts = (link["tenant_id"], link["link_id"], str(link["epoch"]), action_id, recipient_id, scope)
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def own_fields(kind: str, parameters: Record, *, link: Record, click: Record, link_hits: int) -> dict[str, Any]:
    """Return the fields of the update that belong to its kind."""
    fields = dict(parameters)
    if kind == "follow_up":
        fields["description"] = fill(parameters["description"], link, click)
    elif kind == "request":
        owner = parameters["owner"]
        is_user = owner not in {"auto", "unassigned"}
        fields["title"] = fill(parameters["title"], link, click)
        fields |= {"assignment": "user" if is_user else owner, "owner": owner if is_user else None}
    elif kind == "script":
        fields |= {"link_url": link["url"] or None, "link_hits": link_hits, "return_url_applies": False}
    return fields


def fill(text: str, link: Record, click: Record) -> str:
    """Replace all placeholders in one pass; unknown values become empty."""
    values = {
        "link_name": link["name"],
        "link_id": link["link_id"],
        "link_url": link["url"],
        "mailing_id": click["mailing_id"],
        "flow_id": click["flow_id"],
        "clicked_at": f"{datetime.fromtimestamp(click['clicked_at'] // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]] or "", text)
