"""Run a CRM script for the recipient; the only kind that needs no CRM card."""

from typing import Any

from actions.kind import ActionParameters, ClickFacts, Id, Kind, LinkFacts, Need, changes_nothing_twice


class RunScript(ActionParameters):
    """The script finds its custId, linkId and shipmentId in the fields that every update has."""

    script: Id


def _needs(_parameters: RunScript) -> Need:
    return Need.NOTHING


def _fields(parameters: RunScript, link: LinkFacts, click: ClickFacts | None) -> dict[str, Any]:
    if click is None:
        raise ValueError("a script is told the link's hits, which only a click has")
    return {
        "script": parameters.script,
        "link_url": link.url,
        "link_hits": click.link_hits,
        "return_url_applies": False,  # the browser has been answered before the update exists
    }


def _per_click(_parameters: RunScript) -> bool:
    return True


KIND = Kind(
    name="script",
    update="RunScript",
    parameters=RunScript,
    needs=_needs,
    fields=_fields,
    per_click=_per_click,
    changes=changes_nothing_twice,
)
