"""Records of the wire with sensible values; a test names only what it is about."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.support.planted import MARK

NOON = 1_764_072_000_000  # 2025-11-25T12:00:00Z: the worker takes no click from the future
DAY = 86_400_000

Record = dict[str, Any]

PARAMETERS: Mapping[str, Record] = {
    "SetField": {"field": "size", "value": "large"},
    "AddToField": {"field": "score", "amount": "5"},
    "ChangeInterest": {"operation": "add", "interest": "news", "scope": "person"},
    "ChangeMembership": {"operation": "add", "target": "project", "target_id": "p-1"},
    "CreateFollowUp": {
        "type": "task",
        "description": "Call back",
        "project": None,
        "task_type": None,
        "created_by": "anna",
        "assign_to_our_contact": False,
        "default_recipient": "bo",
        "duration_minutes": None,
        "next_available_time": False,
        "as_invitation": False,
    },
    "OpenRequest": {"title": "Asks for a call", "priority": None, "category": None, "owner": "auto"},
    "RunScript": {"script": "on-click", "script_version": None, "parameters": {}},
}
"""Parameters of one action of each kind, by the record name of its update."""


def a_click(number: int = 1, **changes: Any) -> Record:
    """A `LinkClicked`; the number makes a click id that no other number has."""
    click: Record = {
        "tenant_id": "acme",
        "link_id": "spring",
        "recipient_id": "r-1",
        "click_id": str(uuid5(NAMESPACE_OID, str(number))),
        "clicked_at": NOON,
        "person_id": f"{MARK}-person",
        "company_id": f"{MARK}-company",
        "mailing_id": "m-1",
        "flow_id": None,
        "flow_run_id": None,
        "link_version": None,
        "test": False,
        "confirmed": False,
        "url": f"https://example.com/spring?who={MARK}",
        "http_method": "GET",
        "user_agent": f"Mozilla/5.0 {MARK}",
        "purpose": None,
        "network": "192.0.2.0/24",
        "delivered_at": NOON - 60_000,
        "link_count": 3,
        "page_click_id": None,
        "fetch_mode": "navigate",
        "fetch_user": True,
        "network_class": None,
        "replayed": False,
    }
    return click | changes


def an_action(
    update: str = "ChangeInterest",
    *,
    slot: int = 0,
    rule: str = "once",
    period_ms: int | None = None,
    guard: str = "none",
    **parameters: Any,
) -> Record:
    """An action as `LinkDefined` has it; its id is told by its slot."""
    return {
        "action_id": f"action-{slot}",
        "slot": slot,
        "repeat": {"rule": rule, "period_ms": period_ms},
        "parameters": (f"link_actions.{update}Parameters", PARAMETERS[update] | parameters),
        "guard": guard,
    }


def a_link(*actions: Record, **changes: Any) -> Record:
    """A `LinkDefined`."""
    link: Record = {
        "tenant_id": "acme",
        "link_id": "spring",
        "version": 1,
        "epoch": 0,
        "status": "active",
        "name": "Spring offer",
        "url": "https://example.com/spring",
        "response": ("link_actions.RedirectResponse", {"url": "https://example.com/spring", "rules": []}),
        "actions": list(actions),
        "defined_at": NOON - DAY,
        "defined_by": "anna",
    }
    return link | changes
