"""Pydantic models of a script file."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from ada_url import URL
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from actions.script import ScriptParameters
from runtime.authoring.entry import Entry
from runtime.authoring.field_types import TenantId, WrittenId
from runtime.authoring.web_address import check_url
from scripts.sandbox.run import DEFAULT_FUEL, MAX_FUEL

NOON = 1_767_268_800_000
"""The time of an example's click that names none, in milliseconds since 1970 UTC: 2026-01-01T12:00:00Z."""
_MAX_TIME = 253_402_300_799_999
"""The end of the year 9999, the last that an ISO 8601 text can name."""


def check_host(text: str) -> str:
    """Return the host in the form that browsers use. Raises ValueError for an address, port or path."""
    if re.search(r"[/:?#@\\]", text):
        raise ValueError(f"{text!r} is not a host; write it without https://, port and path, such as www.example.com")
    return URL(check_url(f"https://{text}/")).hostname


def read_time(value: Any) -> Any:
    """Return a text such as 2026-11-25T12:00:00Z (ISO 8601) as milliseconds since 1970 UTC, other values unchanged."""
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a time; write one such as 2026-11-25T12:00:00Z") from error
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


Host = Annotated[str, AfterValidator(check_host)]
Milliseconds = Annotated[int, BeforeValidator(read_time), Field(ge=0, le=_MAX_TIME)]
Count = Annotated[int, Field(ge=0, le=2**53)]


class ClickEntry(Entry):
    """The click of an example, with the names that a script uses; the fields are those of a `RunScript`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    person_id: str | None = Field(default=None, alias="custId")
    link_id: str = Field(default="example", alias="linkId")
    mailing_id: str | None = Field(default=None, alias="shipmentId")
    link_url: str | None = Field(default=None, alias="linkUrl")
    link_hits: Count = Field(default=1, alias="linkHits")
    recipient_id: str = Field(default="example", alias="recipientId")
    company_id: str | None = Field(default=None, alias="companyId")
    flow_id: str | None = Field(default=None, alias="flowId")
    flow_run_id: str | None = Field(default=None, alias="flowRunId")
    click_id: str = Field(default="00000000-0000-4000-8000-000000000000", alias="clickId")
    clicked_at: Milliseconds = Field(default=NOON, alias="clickedAt")
    link_version: Count = Field(default=1, alias="linkVersion")
    epoch: Count = 0
    action_id: str = Field(default="example", alias="actionId")
    return_url_applies: bool = Field(default=False, alias="returnUrlApplies")


class ExampleEntry(Entry):
    """A click, and what the script makes of it. `returnUrl` is left out if the script leaves it as it is."""

    click: ClickEntry = ClickEntry()
    parameters: ScriptParameters = Field(default={})
    effects: list[dict[str, Any]] = Field(default=[])
    return_url: str | None = Field(default=None, alias="returnUrl")


class ScriptEntry(Entry):
    """One script: link files refer to its `id`; its source is in `file`, beside this one."""

    id: WrittenId
    file: Annotated[str, Field(min_length=1)]
    emits: list[str] = Field(default=[])
    hosts: list[Host] = Field(default=[])
    fuel: Annotated[int, Field(ge=1, le=MAX_FUEL)] = DEFAULT_FUEL
    examples: list[ExampleEntry] = Field(default=[])


class ScriptFileEntry(Entry):
    """A whole file: scripts of one tenant."""

    tenant: TenantId
    scripts: list[ScriptEntry]


def keys_at(location: tuple[str | int, ...]) -> list[str]:
    """Return the keys that are known at the place of a value, for a message about an unknown one."""
    match location:
        case ("scripts", int(), "examples", int(), "click", _):
            return _keys(ClickEntry)
        case ("scripts", int(), "examples", int(), _):
            return _keys(ExampleEntry)
        case ("scripts", int(), _):
            return _keys(ScriptEntry)
    return _keys(ScriptFileEntry)


def _keys(model: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
