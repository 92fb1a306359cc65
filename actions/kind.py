"""Base of all kinds of action; each kind is one module of this folder that exports `KIND`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, WithJsonSchema

from actions.ids import ID_SCHEMA, check_id

WRITTEN = "written"
"""Validation context for text that an author just wrote. Published links are read without these checks: a worker that
refused an id that an earlier version accepted would stop the link."""


def _check_written_id(text: str, info: ValidationInfo) -> str:
    return check_id(text) if info.context == WRITTEN else text


Id = Annotated[str, Field(min_length=1), AfterValidator(_check_written_id), WithJsonSchema(ID_SCHEMA)]
"""An id, or a name by which the CRM finds something: never empty; `check_id` checks it when an author writes it."""

AnyText = Annotated[str, Field(min_length=0)]
"""A text that is stored unchanged and may be empty. The constraint makes pydantic refuse lone surrogates."""


class Need(StrEnum):
    """Facts the click must have for the action to apply."""

    NOTHING = "nothing"
    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """Facts about the link that an update may use; the same for every click on one version of it."""

    link_id: str
    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ClickFacts:
    """Facts about the click that an update may use, beyond the fields that every update has.

    `clicked_at` is in milliseconds since 1970 UTC; `link_hits` counts the clicks on the link in this epoch that the
    click's partition has seen, this one included.
    """

    mailing_id: str | None
    flow_id: str | None
    clicked_at: int
    link_hits: int


class ActionParameters(BaseModel):
    """Base of each kind's parameters: what an author writes, and what a link definition holds.

    Field names, types and order are those of the kind's record in `LinkDefined`; choices are `Literal`s without the
    symbol 'unknown', which represents only symbols that a later version may add.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Fields = Callable[[Any, LinkFacts, ClickFacts | None], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of action. The functions are pure, and take an instance of `parameters` first.

    `name` is the module's name and the word in link files; `update` is the record name of the update.
    `fields` returns the update's own fields, exactly `parameter_fields` of its schema. If `per_click` is false, they
    are the same for every click, and `fields` is called once, without a click.
    `changes` names the one thing that the action changes, such as "the field 'size'"; two actions of a link that
    change the same thing contradict or repeat each other. It returns None if doing the action twice makes sense.
    """

    name: str
    update: str
    parameters: type[ActionParameters]
    needs: Callable[[Any], Need]
    fields: Fields
    per_click: Callable[[Any], bool]
    changes: Callable[[Any], str | None]

    @property
    def parameters_record(self) -> str:
        """Full name of the record that holds the parameters in a link definition."""
        return f"link_actions.{self.update}Parameters"


def needs_person(_parameters: ActionParameters) -> Need:
    """Say that the person must be known: the rule for most kinds."""
    return Need.PERSON


def same_for_every_click(_parameters: ActionParameters) -> bool:
    """Return False: the `per_click` of kinds whose own fields do not depend on the click."""
    return False


def changes_nothing_twice(_parameters: ActionParameters) -> None:
    """Return None: the `changes` of kinds whose actions add something new each time, such as a task."""


def parameters_as_fields(parameters: ActionParameters, _link: LinkFacts, _click: ClickFacts | None) -> dict[str, Any]:
    """Return the parameters unchanged: `fields` of a kind whose update repeats the link's parameters."""
    return parameters.model_dump()
