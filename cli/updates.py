"""`link-actions updates`: shows updates as subscribers see them."""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from actions.kind import Kind
from actions.registry import load_kinds
from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings, open_registry
from cli.output import complain, say
from consumer.inspect.record_view import RecordView, time_of, view_record
from runtime.errors import UsageError
from runtime.kafka.admin.acls import Acl, Operation
from runtime.kafka.admin.permission import require_acls
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.admin.topic_reader import Span, open_reader
from runtime.kafka.errors import Resource
from runtime.registry.codecs import reading_codec
from runtime.registry.registry import SchemaRegistry
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.record_schema import RecordSchema, load_schemas
from schemas.topics import TopicNames

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions updates tail --kind set_field"""

EXAMPLE = """\b
Example:
  link-actions updates tail --kind set_field --from-beginning --json"""

IDENTITY = (
    "tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id", "mailing_id",
    "flow_id", "flow_run_id",
)  # fmt: skip
"""The first fields of every update and of the answers to a form."""
SHARED = ("update_id", "link_version", "epoch", "action_id")


@app.callback(epilog=GROUP_EXAMPLE)
def updates() -> None:
    """Show the updates as subscribers see them."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def tail(
    *,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; may be repeated.")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest update.")] = False,
    forms: Annotated[bool, typer.Option("--forms", help="Also the answers to forms.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop at the current end of the topics.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")] = False,
) -> None:
    """Show committed updates as they arrive, until Ctrl-C.

    With --json each line has topic, partition, offset, timestamp, key, headers and value.
    """
    settings = command_settings()
    schemas = load_schemas()
    kinds = _chosen(load_kinds(schemas), kind or [])
    names = TopicNames(settings.topic_prefix, settings.group_id, tuple(kinds))
    topics = [*names.updates.values(), *([names.forms] if forms else [])]
    require_acls(settings.kafka, [Acl(Operation.READ, Resource.TOPIC, topic) for topic in topics])
    states = require_topics(KafkaTopicAdmin(settings.kafka), topics)
    with closing(open_reader(settings.kafka)) as reader, open_registry(settings) as registry:
        shower = shower_of(names, kinds, schemas, registry, as_json=as_json)
        spans = reader.spans({topic: state.partitions for topic, state in states.items()})
        for message in reader.read(_cut(spans, from_beginning=from_beginning, until_end=until_end)):
            shower.show(view_record(message))


@dataclass(frozen=True, slots=True)
class UpdateShower:
    """Writes updates to standard output, a line each. `codecs` and `kinds` are by topic."""

    codecs: Mapping[str, Codec]
    kinds: Mapping[str, str]
    as_json: bool

    def show(self, record: RecordView) -> None:
        """Write one update; if it cannot be decoded, write its position, and the reason on standard error."""
        try:
            value = self.codecs[record.topic].decode(record.value or b"")
        except BadRecord as bad:
            complain(f"warn: {record.topic} {record.place} cannot be read ({bad})")
            value = None
        say(record.json_line(value) if self.as_json else self._text(record, value or {}))

    def _text(self, record: RecordView, value: Mapping[str, Any]) -> str:
        cause = [value.get(name, "") for name in ("tenant_id", "recipient_id", "link_id", "action_id")]
        own = [name for name in [*value][len(IDENTITY) :] if name not in SHARED and value[name] not in (None, {})]
        fields = [f"{name}={_words(value[name])}" for name in own]
        return "  ".join([time_of(record.timestamp), f"{self.kinds[record.topic]:<10}", *cause, *fields])


def _words(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _chosen(kinds: Mapping[str, Kind], names: Iterable[str]) -> Mapping[str, Kind]:
    wanted = [name.replace("-", "_") for name in names]
    unknown = [name for name in wanted if name not in kinds]
    if unknown:
        raise UsageError(f"There is no kind {', '.join(unknown)}; kinds are {', '.join(kinds)}")
    return {name: kind for name, kind in kinds.items() if name in wanted or not wanted}


def shower_of(
    names: TopicNames,
    kinds: Mapping[str, Kind],
    schemas: Mapping[str, RecordSchema],
    registry: SchemaRegistry | None,
    *,
    as_json: bool,
) -> UpdateShower:
    """Return what shows the updates of these kinds, and the answers to forms."""
    records = {topic: schemas[kinds[kind].update] for kind, topic in names.updates.items()}
    records[names.forms] = schemas["FormSubmitted"]
    codecs = {topic: reading_codec(topic, schema, registry) for topic, schema in records.items()}
    return UpdateShower(
        codecs, {**{topic: kind for kind, topic in names.updates.items()}, names.forms: "form"}, as_json
    )


def _cut(spans: Iterable[Span], *, from_beginning: bool, until_end: bool) -> list[Span]:
    """Set the start and end of each span as the options say."""
    begun = [span if from_beginning else replace(span, start=span.end or 0) for span in spans]
    return begun if until_end else [replace(span, end=None) for span in begun]
