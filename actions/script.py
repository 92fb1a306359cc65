"""Run a script for the recipient; the only kind that needs no CRM card."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from actions.kind import ActionParameters, AnyText, ClickFacts, Id, Kind, LinkFacts, Need, changes_nothing_twice

MAX_PARAMETER_BYTES = 4_096
"""Names and values in all, as UTF-8."""


def check_size(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters unchanged. Raises ValueError if they are too long to hand to a script."""
    size = sum(len(name.encode()) + len(value.encode()) for name, value in parameters.items())
    if size > MAX_PARAMETER_BYTES:
        raise ValueError(f"its names and values have {size:,} bytes; shorten them to {MAX_PARAMETER_BYTES:,} in all")
    return parameters


ScriptParameters = Annotated[dict[Annotated[str, Field(min_length=1)], AnyText], AfterValidator(check_size)]
"""What a link hands to its script, by name."""


class RunScript(ActionParameters):
    """The script finds its custId, linkId and shipmentId in the fields that every update has.

    Publishing a link fills in the newest `script_version`. Without it, the newest is used when the script runs.
    The default values are left out of records, so that programs from before these parameters read them.
    """

    script: Id
    script_version: int | None = Field(default=None, ge=1, exclude_if=lambda version: version is None)
    parameters: ScriptParameters = Field(default={}, exclude_if=lambda parameters: not parameters)


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
        "script_version": parameters.script_version,
        "parameters": parameters.parameters,
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
