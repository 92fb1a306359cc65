"""Published links for people and programs to look at."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actions.kind import Kind
from actions.link import Link, UnreadableLink, link_from_record
from actions.repeat import Repeat, RepeatRule
from actions.response import Form, Redirect, Response
from actions.text import utc_text
from consumer.authoring.history import PublishedRecord
from consumer.authoring.link_reference import LinkReference, parse_definition_key
from schemas.bad_record import BadRecord
from schemas.codec import Codec


@dataclass(frozen=True, slots=True)
class UnreadableVersion:
    """A version that this program cannot read, since it is older than the author's or the record is broken."""

    reference: LinkReference
    version: int
    reason: str


def newest_versions(
    records: Iterable[PublishedRecord], tenant_id: str | None = None
) -> dict[LinkReference, tuple[int, bytes]]:
    """Return number and bytes of each link's newest version, ordered by tenant and link."""
    newest: dict[LinkReference, tuple[int, bytes]] = {}
    for reference, version, value in _definitions(records):
        if tenant_id in (None, reference.tenant_id) and version >= newest.get(reference, (0, b""))[0]:
            newest[reference] = (version, value)
    return dict(sorted(newest.items()))


def versions_of(reference: LinkReference, records: Iterable[PublishedRecord]) -> dict[int, bytes]:
    """Return the bytes of each version of one link."""
    return {version: value for named, version, value in _definitions(records) if named == reference}


def read_version(
    reference: LinkReference, version: int, value: bytes, *, codec: Codec, kinds: Mapping[str, Kind]
) -> Link | UnreadableVersion:
    """Decode one version."""
    try:
        return link_from_record(codec.decode(value), kinds)
    except (BadRecord, UnreadableLink) as error:
        return UnreadableVersion(reference, version, str(error))


def link_as_json(link: Link) -> dict[str, Any]:
    """Return a link in the words of a link file, with what publishing gave it; times are ISO 8601 in UTC."""
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
            for action in link.actions
        ],
        "defined_at": utc_text(link.defined_at),
        "defined_by": link.defined_by,
    }


def describe_repeat(repeat: Repeat) -> str | dict[str, str]:
    """Return the rule as a link file has it, a period in its largest whole unit."""
    if repeat.rule is RepeatRule.COOLDOWN and repeat.period_ms is not None:
        return {"cooldown": describe_period(repeat.period_ms)}
    return repeat.rule.value


def describe_period(milliseconds: int) -> str:
    """Return `7d`, `24h`, `30m` or `5s`; parts of a second as ISO 8601."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"PT{milliseconds / 1000}S"


def _response(response: Response) -> dict[str, Any]:
    if isinstance(response, Redirect):
        return {"redirect": response.url}
    if isinstance(response, Form):
        return {"form": {"id": response.form_id, "prefill": list(response.prefill)}}
    return {"text": response.text}


def _definitions(records: Iterable[PublishedRecord]) -> Iterator[tuple[LinkReference, int, bytes]]:
    for key, value in records:
        named = parse_definition_key(key)
        if named and value is not None:
            yield *named, value
