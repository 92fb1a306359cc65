"""The links of the benchmark: what they ask for, as link-actions reads it and as the other candidates do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.shape import Shape
from schemas.codec import Codec

TENANT = "acme"
START_MS = 1_780_000_000_000
EPOCH = 0
_ASKED = (("interested", "add", "product-news"), ("curious", "add", "offers"), ("reminded", "remove", "reminders"))
"""Id, operation and interest of each action that a link may have."""

Action = dict[str, str]


def link_id(number: int) -> str:
    """Return the name of a link."""
    return f"offer-{number:05d}"


def actions_of(shape: Shape, link: int, version: int) -> list[Action]:
    """Return what a version of a link asks for; from the second on it is about another interest."""
    if shape.silent and link % shape.silent:
        return []
    suffix = f"-{version}" if version > 1 else ""
    return [
        {"action_id": name, "operation": operation, "interest": interest + suffix, "scope": "person"}
        for name, operation, interest in _ASKED[: shape.actions]
    ]


def definitions(shape: Shape, codec: Codec, versions: range | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of the definition of each version, one version of all links after the other."""
    for version in versions or range(1, shape.versions + 1):
        for link in range(shape.links):
            yield f"{TENANT}/{link_id(link)}/{version}".encode(), codec.encode(definition(shape, link, version))


def write_plain_definitions(shape: Shape, path: Path, update_frame: bytes) -> None:
    """Write the definitions that the other candidates read at start, and the header of every update."""
    links = [
        {"link_id": link_id(link), "version": version, "epoch": EPOCH, "actions": actions_of(shape, link, version)}
        for link in range(shape.links)
        for version in range(1, shape.versions + 1)
    ]
    path.write_text(json.dumps({"tenant_id": TENANT, "update_frame": update_frame.hex(), "links": links}))


def definition(shape: Shape, link: int, version: int) -> dict[str, Any]:
    """Return the record that defines a version of a link."""
    url = f"https://www.example.com/offers/{link_id(link)}"
    return {
        "tenant_id": TENANT,
        "link_id": link_id(link),
        "version": version,
        "epoch": EPOCH,
        "status": "active",
        "name": f"Offer {link}",
        "url": url,
        "response": ("link_actions.RedirectResponse", {"url": url}),
        "actions": [_action(slot, asked) for slot, asked in enumerate(actions_of(shape, link, version))],
        "defined_at": START_MS,
        "defined_by": "bench",
    }


def _action(slot: int, asked: Action) -> dict[str, Any]:
    parameters = {name: asked[name] for name in ("operation", "interest", "scope")}
    return {
        "action_id": asked["action_id"],
        "slot": slot,
        "repeat": {"rule": "once", "period_ms": None},
        "parameters": ("link_actions.ChangeInterestParameters", parameters),
    }
