"""Pydantic models of a link file, from which the JSON Schema for editors is built, too.

The kinds of action come from the registry: the model of an action has its kind's parameters and `id`, `kind`,
`repeat`, `guard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, TypeAdapter, WithJsonSchema, create_model

from actions.kind import ActionParameters, Kind
from actions.repeat import Repeat
from consumer.links.field_types import read_repeat, repeat_schema
from consumer.links.response_model import ResponseEntry
from runtime.authoring.entry import Entry
from runtime.authoring.field_types import Name, TenantId, WrittenId


class ActionEntry(Entry):
    """One action; each kind adds its parameters and narrows `kind` to itself."""

    kind: str
    id: WrittenId | None = None
    repeat: Annotated[Repeat, PlainValidator(read_repeat), WithJsonSchema(repeat_schema())] = Repeat()
    guard: Annotated[
        Literal["none", "confirm"],
        Field(description="'confirm': applies only to clicks that a person confirms with a button."),
    ] = "none"

    def to_parameters(self, kind: Kind) -> ActionParameters:
        """Return the parameters alone."""
        return kind.parameters.model_validate({name: getattr(self, name) for name in kind.parameters.model_fields})


class LinkEntry(Entry):
    """One link: clicks refer to its `id`, people to its `name`; the actions apply in their order."""

    id: WrittenId
    name: Name
    response: ResponseEntry
    actions: list[Any] = Field(default=[])


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
