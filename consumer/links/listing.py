"""Published links in the format of link files."""

from typing import Any

from actions.guard import Guard
from actions.link import Link
from actions.repeat import Repeat, RepeatRule
from actions.response import Form, FormField, Redirect, RedirectRule, Response, Text
from actions.text import utc_text


def link_as_json(link: Link) -> dict[str, Any]:
    """Return a link with the keys of a link file and those assigned at publishing; times are ISO 8601 in UTC.

    Defaults are left out, such as a guard that is none.
    """
    return {
        "tenant": link.tenant_id,
        "id": link.link_id,
        "version": link.version,
        "epoch": link.epoch,
        "status": link.status.value,
        "name": link.name,
        "response": _response(link.response),
        "actions": [
            {"id": action.action_id, "slot": action.slot, "kind": action.kind.name}
            | action.parameters.model_dump(exclude_none=True)
            | {"repeat": describe_repeat(action.repeat)}
            | _guard(action.guard)
            for action in link.actions
        ],
        "defined_at": utc_text(link.defined_at),
        "defined_by": link.defined_by,
    }


def describe_repeat(repeat: Repeat) -> str | dict[str, str]:
    """Return the rule as written in a link file, with the period in its largest whole unit."""
    if repeat.rule is RepeatRule.COOLDOWN and repeat.period_ms is not None:
        return {"cooldown": describe_period(repeat.period_ms)}
    return repeat.rule.value


def describe_period(milliseconds: int) -> str:
    """Return `7d`, `24h`, `30m` or `5s`; fractions of a second as ISO 8601."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"PT{milliseconds / 1000}S"


def _guard(guard: Guard) -> dict[str, str]:
    return {} if guard is Guard.NONE else {"guard": guard.value}


def _response(response: Response) -> dict[str, Any]:
    match response:
        case Redirect(url, rules):
            return {"redirect": [*map(_rule, rules), {"else": url}] if rules else url}
        case Form(form_id, prefill, fields):
            described = {"fields": list(map(_field, fields))} if fields else {}
            return {"form": {"id": form_id, "prefill": list(prefill), **described}}
        case Text(text):
            return {"text": text}


def _rule(rule: RedirectRule) -> dict[str, Any]:
    return {"when": {"language": rule.language} if rule.language else rule.when.value, "to": rule.url}


def _field(field: FormField) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "label": field.label, "type": field.type.value}
    if field.required:
        described["required"] = True
    if field.autocomplete:
        described["autocomplete"] = field.autocomplete
    if field.options:
        described["options"] = list(field.options)
    return described
