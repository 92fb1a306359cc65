"""Pydantic model of the response of a link: a redirect, a text or a form."""

from collections.abc import Iterable

from pydantic import ConfigDict, model_validator

from actions.response import Response, Text
from consumer.links.field_types import RichText
from consumer.links.form_model import FieldEntry, FormEntry
from consumer.links.redirect_model import RedirectTo, RuleEntry, to_redirect
from runtime.authoring.entry import Entry
from runtime.authoring.yaml_document import Path


class ResponseEntry(Entry):
    """The response to the browser: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    redirect: RedirectTo | None = None
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
            return to_redirect(self.redirect)
        return self.form.to_form() if self.form is not None else Text(self.text or "")


def keys_at(path: Path) -> Iterable[str]:
    """Return the keys that are allowed beside the one at this path below `response`."""
    match path:
        case ("redirect", *_):
            return _written_keys(RuleEntry)
        case ("form", "fields", *_):
            return _written_keys(FieldEntry)
        case ("form", *_):
            return _written_keys(FormEntry)
    return _written_keys(ResponseEntry)


def _written_keys(model: type[Entry]) -> Iterable[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
