"""Reads one link file: its valid links, and all its mistakes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic import ValidationError

from actions.guard import Guard
from actions.kind import WRITTEN, Kind
from consumer.links.conflicts import find_conflicts
from consumer.links.desired import DesiredAction, DesiredLink
from consumer.links.link_model import ActionEntry, LinkFileModel
from consumer.links.link_reference import LinkReference
from consumer.links.link_source_map import LINK, LinkSourceMap
from consumer.links.literal_text import literal_text_warnings, redirect_urls
from consumer.links.response_model import keys_at
from runtime.authoring.diagnostic import Diagnostic, Severity, SourceLocation
from runtime.authoring.error_messages import Details, error_message
from runtime.authoring.field_types import check_tenant_id
from runtime.authoring.web_address import check_url
from runtime.authoring.yaml_document import Path, read_document

MAX_ACTIONS = 100
MAX_LINK_BYTES = 500_000
"""Half of the broker's default for max.message.bytes."""


@dataclass(frozen=True, slots=True)
class LinkFile:
    """The content of one file: valid links, the location of every link with an id, and all mistakes.

    Without mistakes, `links` has all links of the file.
    """

    links: tuple[DesiredLink, ...]
    defined: tuple[tuple[LinkReference, SourceLocation], ...]
    mistakes: tuple[Diagnostic, ...]


def read_link_file(name: str, content: bytes, model: LinkFileModel, kinds: Mapping[str, Kind]) -> LinkFile:
    """Read one file; diagnostics refer to it by `name`."""
    document = read_document(content)
    broken = [
        Diagnostic(SourceLocation(name, problem.line, problem.column), "", problem.sentence)
        for problem in document.problems
    ]
    if document.data is None and broken:
        return LinkFile((), (), tuple(broken))
    reading = _Reading(document.data, LinkSourceMap(name, document), model, kinds)
    shape = [mistake for path, mistake in reading.shape_mistakes() if not (document.cut and len(path) <= 1)]
    checks = (reading.size_mistakes(document.texts), reading.conflicts(), reading.warnings(), reading.notes())
    mistakes = (*broken, *shape, *chain.from_iterable(checks))
    return LinkFile(tuple(reading.links()), tuple(reading.defined()), mistakes)


class _Reading:
    """Reads each part of a document separately, so that no mistake hides another."""

    def __init__(self, data: Any, where: LinkSourceMap, model: LinkFileModel, kinds: Mapping[str, Kind]) -> None:
        self._data = data
        self._where = where
        self._model = model
        self._kinds = kinds
        self._raw_links = list(_raw_links(data))
        self._tenant = _tenant(data) or where.file  # a placeholder, so that no link is assigned to another tenant
        self._actions = {path: list(self._understood_actions(path, raw)) for path, raw in self._raw_links}

    def shape_mistakes(self) -> Iterator[tuple[Path, Diagnostic]]:
        """Yield what the models refuse, with its path."""
        try:
            self._model.file.model_validate(self._data, context=WRITTEN)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                yield details["loc"], self._explained(dict(details))

    def size_mistakes(self, texts: Mapping[Path, str]) -> Iterator[Diagnostic]:
        """Yield links that would not fit into a record, or have too many actions for a dedupe entry."""
        sizes: Counter[Path] = Counter()
        for path, text in texts.items():
            sizes[path[:LINK]] += len(text.encode())
        for path, raw in self._raw_links:
            count = len(_list(raw.get("actions")))
            if sizes[path] > MAX_LINK_BYTES:
                sentence = f"its texts have {sizes[path]:,} bytes; shorten them to {MAX_LINK_BYTES:,} in all"
                yield self._where.mistake(path, sentence)
            if count > MAX_ACTIONS:
                sentence = f"it has {count} actions; spread them over links with at most {MAX_ACTIONS} each"
                yield self._where.mistake(path, sentence)

    def conflicts(self) -> Iterator[Diagnostic]:
        """Yield conflicts between valid actions of a link."""
        for path, actions in self._actions.items():
            link = self._where.text((*path, "id")) or "without id"
            yield from find_conflicts(link, actions)

    def warnings(self) -> Iterator[Diagnostic]:
        """Yield text that is taken literally but may be meant otherwise."""
        for link, raw in self._raw_links:
            for path, sentence in literal_text_warnings(link, raw, self._kinds):
                yield self._where.mistake(path, sentence, Severity.WARNING)

    def notes(self) -> Iterator[Diagnostic]:
        """Yield each address that is published in another form than written."""
        for link, raw in self._raw_links:
            for path, url in redirect_urls(link, raw):
                published = _published_url(url)
                if published not in (None, url):
                    yield self._where.mistake(path, f"published as {published}", Severity.NOTE)

    def links(self) -> Iterator[DesiredLink]:
        """Yield the valid links."""
        for path, raw in self._raw_links:
            try:
                entry = self._model.link.model_validate({**raw, "actions": []}, context=WRITTEN)
            except ValidationError:
                continue
            reference = LinkReference(self._tenant, entry.id)
            actions = tuple(self._actions[path])
            yield DesiredLink(reference, entry.name, entry.response.to_response(), actions, self._where.location(path))

    def defined(self) -> Iterator[tuple[LinkReference, SourceLocation]]:
        """Yield each link that has an id, with its location."""
        for path, raw in self._raw_links:
            if isinstance(raw.get("id"), str):
                yield LinkReference(self._tenant, raw["id"]), self._where.location(path)

    def _understood_actions(self, path: Path, raw: Mapping[str, Any]) -> Iterator[DesiredAction]:
        entries = [self._action_entry(action) for action in _list(raw.get("actions"))]
        for index, (action_id, entry) in enumerate(zip(name_actions(entries), entries, strict=True)):
            if entry is not None:
                kind = self._kinds[entry.kind]
                location = self._where.location((*path, "actions", index))
                parameters, guard = entry.to_parameters(kind), Guard(entry.guard)
                yield DesiredAction(action_id, entry.repeat, kind, parameters, location, guard)

    def _action_entry(self, raw: Any) -> ActionEntry | None:
        try:
            return self._model.action.validate_python(raw, context=WRITTEN)
        except ValidationError:
            return None

    def _explained(self, details: Details) -> Diagnostic:
        path = self._where.path(details["loc"])
        known_keys = self._known_keys(details["loc"])
        return self._where.mistake(path, error_message(details, text=self._where.text(path), known_keys=known_keys))

    def _known_keys(self, location: Path) -> Iterable[str]:
        match location:
            case ("links", int(), "response", *inside):
                return keys_at(tuple(inside))
            case ("links", int(), "actions", int(), str(kind), _):
                return self._model.actions[kind].model_fields
            case ("links", int(), _):
                return self._model.link.model_fields
        return self._model.file.model_fields


def name_actions(entries: Iterable[ActionEntry | None]) -> Iterator[str]:
    """Yield each action's id; an action without one gets its kind, numbered from the second on.

    None is an action that could not be read.
    """
    nameless: Counter[str] = Counter()
    for entry in entries:
        if entry is None or entry.id is not None:
            yield "" if entry is None else entry.id or ""
            continue
        nameless[entry.kind] += 1
        yield entry.kind if nameless[entry.kind] == 1 else f"{entry.kind}-{nameless[entry.kind]}"


def _published_url(written: Any) -> str | None:
    try:
        return check_url(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _raw_links(data: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    for index, link in enumerate(_list(data.get("links")) if isinstance(data, dict) else []):
        if isinstance(link, dict):
            yield ("links", index), link


def _tenant(data: Any) -> str | None:
    try:
        return check_tenant_id(data["tenant"])
    except (KeyError, TypeError, ValueError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
