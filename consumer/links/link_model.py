"""Pydantic models of a link file, from which the JSON Schema for editors is built, too.

The kinds of action come from the registry: the model of an action has its kind's parameters and `id`, `kind`, `repeat`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
    create_model,
    model_validator,
)

from actions.kind import ActionParameters, Kind
from actions.repeat import Repeat
from actions.response import PREFILL_FIELDS, Form, Redirect, Response, Text
from consumer.links.field_types import Name, RichText, TenantId, Url, WrittenId, read_repeat, repeat_schema


class Entry(BaseModel):
    """Base of all models: unknown keys are refused and no value is converted to another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FormEntry(Entry):
    """A form, with fields to prefill from what is known about the person."""

    id: WrittenId
    prefill: Annotated[list[WrittenId], Field(examples=[list(PREFILL_FIELDS)])] = []


class ResponseEntry(Entry):
    """The response to the browser: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    redirect: Url | None = None
    text: RichText | None = None
    form: FormEntry | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "ResponseEntry":
        given = [name for name in ("redirect", "text", "form") if getattr(self, name) is not None]
        if len(given) != 1:
            seen = " and ".join(given) or "none"
            raise ValueError(f"a response must have exactly one of redirect, text and form, not {seen}; keep one")
        return self

    def to_response(self) -> Response:
        """Return the response of a link."""
        if self.redirect is not None:
            return Redirect(self.redirect)
        if self.form is not None:
            return Form(self.form.id, tuple(self.form.prefill))
        return Text(self.text or "")


class ActionEntry(Entry):
    """One action; each kind adds its parameters and narrows `kind` to itself."""

    kind: str
    id: WrittenId | None = None
    repeat: Annotated[Repeat, PlainValidator(read_repeat), WithJsonSchema(repeat_schema())] = Repeat()

    def to_parameters(self, kind: Kind) -> ActionParameters:
        """Return the parameters alone."""
        return kind.parameters.model_validate({name: getattr(self, name) for name in kind.parameters.model_fields})


class LinkEntry(Entry):
    """One link: clicks refer to its `id`, people to its `name`; the actions apply in their order."""

    id: WrittenId
    name: Name
    response: ResponseEntry
    actions: list[Any] = []


class LinkFileEntry(Entry):
    """A whole file: links of one tenant."""

    tenant: TenantId
    links: list[Any]


@dataclass(frozen=True, slots=True)
class LinkFileModel:
    """The models with the actions of the registry filled in.

    `file` and `link` have every level below them; `actions` has one model for each kind, `action` chooses by kind.
    """

    file: type[LinkFileEntry]
    link: type[LinkEntry]
    actions: Mapping[str, type[ActionEntry]]
    action: TypeAdapter[ActionEntry]


def link_file_model(kinds: Mapping[str, Kind]) -> LinkFileModel:
    """Build the models for these kinds of action."""
    actions = {name: _action_model(kind) for name, kind in kinds.items()}
    any_action: Any = Annotated[reduce(or_, actions.values()), Field(discriminator="kind")]
    link = create_model("Link", __base__=LinkEntry, actions=(list[any_action], []))
    file = create_model("LinkFile", __base__=LinkFileEntry, links=(list[link], ...))  # type: ignore[valid-type]
    return LinkFileModel(file, link, actions, TypeAdapter(any_action))


def _action_model(kind: Kind) -> type[ActionEntry]:
    bases: Any = (ActionEntry, kind.parameters)
    only_this_kind: Any = Literal[kind.name]
    model: type[ActionEntry] = create_model(kind.name, __base__=bases, kind=(only_this_kind, ...))
    return model
