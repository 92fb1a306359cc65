"""Facts, parameters and links with sensible values; a test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from actions.guard import Guard
from actions.kind import ClickFacts, Kind, LinkFacts
from actions.link import Action, Link, LinkStatus
from actions.registry import load_kinds
from actions.repeat import Repeat
from actions.response import Redirect
from schemas.record_schema import load_schemas

NOON = 1_795_608_000_000  # 2026-11-25T12:00:00Z


def samples_of(kind: str) -> list[dict[str, Any]]:
    """Parameters of a kind, from that kind's own test, so that a new kind brings its samples along."""
    samples: list[dict[str, Any]] = import_module(f"tests.actions.test_{kind}").SAMPLES
    return samples


def kinds() -> Mapping[str, Kind]:
    return load_kinds(load_schemas())


def link_facts(
    *, link_id: str = "spring", name: str = "Spring offer", url: str | None = "https://example.com/spring"
) -> LinkFacts:
    return LinkFacts(link_id, name, url)


def click_facts(
    *, mailing_id: str | None = "m-1", flow_id: str | None = None, clicked_at: int = NOON, link_hits: int = 1
) -> ClickFacts:
    return ClickFacts(mailing_id, flow_id, clicked_at, link_hits)


def an_action(
    kind: str = "interest",
    *,
    slot: int = 0,
    repeat: Repeat | None = None,
    guard: Guard = Guard.NONE,
    **parameters: Any,
) -> Action:
    found = kinds()[kind]
    return Action(
        action_id=f"{kind}-{slot}",
        slot=slot,
        repeat=repeat or Repeat(),
        kind=found,
        parameters=found.parameters(**(parameters or samples_of(kind)[0])),
        guard=guard,
    )


def a_link(*actions: Action, **changes: Any) -> Link:
    link = Link(
        tenant_id="acme",
        link_id="spring",
        version=1,
        epoch=0,
        status=LinkStatus.ACTIVE,
        name="Spring offer",
        url="https://example.com/spring",
        response=Redirect("https://example.com/spring"),
        actions=actions,
        defined_at=NOON,
        defined_by="anna",
    )
    return replace(link, **changes)
