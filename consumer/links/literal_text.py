"""Warns about text that is taken literally but that its author probably meant differently.

A browser, the CRM or a person gets the text as written in the file. That may be intended, so it is not a mistake.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html.entities import html5
from typing import Any

from actions.ids import JOINERS, describe, is_unseen
from actions.kind import Id, Kind
from actions.response import PREFILL_FIELDS
from actions.rich_text import MAX_TAGS, count_tags, removals
from actions.text import PLACEHOLDERS, ReadableText
from runtime.authoring.yaml_document import Path

TextWarning = tuple[Path, str]
"""Its path and its message."""

_BRACES = r"\$?\{\{?[^{}\n]{1,60}\}?\}"
_OTHERS = (
    r"\$\{[^{}\n]{1,60}\}|\*\|[^|\n]{1,60}\|\*|<<[^<>\n]{1,60}>>|%%[A-Za-z_]{2,40}%%|%(?![0-9A-Fa-f]{2})[A-Za-z_]{2,40}%"
    r"|\[\[[^\[\]\n]{1,60}\]\]|\[(?:[A-Z]+(?:_[A-Z]+)+|F?NAME|LNAME|FIRSTNAME|LASTNAME|EMAIL|COMPANY|UNSUBSCRIBE)\]"
)
_MERGE_FIELD = re.compile(f"{_OTHERS}|{_BRACES}")
_OTHER_MERGE_FIELD = re.compile(_OTHERS)
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_TAG = re.compile(
    r"</?(?:a|b|i|u|br|p|div|span|strong|em|script|img|h[1-6]|ul|ol|li|table|tr|td|font)\b[^<>]*>", re.IGNORECASE
)
_MARKDOWN = re.compile(r"\*\*[^\s*][^*\n]*\*\*|\[[^\[\]\n]+\]\(https?://[^()\s]+\)|^#{1,6} \S.*$", re.MULTILINE)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")
_FILLED = "placeholders are filled in only in texts that people read, such as description and title"


def literal_text_warnings(link: Path, raw: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Iterator[TextWarning]:
    """Yield the warnings of a link's texts."""
    yield from _in_name((*link, "name"), raw.get("name"))
    yield from _in_id((*link, "id"), raw.get("id"))
    for path, url in redirect_urls(link, raw):
        yield from _in_redirect(path, url)
    response = raw.get("response")
    if isinstance(response, dict):
        yield from _in_rich_text((*link, "response", "text"), response.get("text"))
        yield from _in_form((*link, "response", "form"), response.get("form"))
    actions = raw.get("actions")
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        kind = kinds.get(str(action.get("kind"))) if isinstance(action, dict) else None
        if kind:
            yield from _in_action((*link, "actions", index), action, kind)


def redirect_urls(link: Path, raw: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield each value in the place of a redirect's URL, with its path."""
    response = raw.get("response")
    redirect = response.get("redirect") if isinstance(response, dict) else None
    path = (*link, "response", "redirect")
    if not isinstance(redirect, list):
        yield path, redirect
        return
    for index, rule in enumerate(redirect):
        for key in ("to", "else"):
            if isinstance(rule, dict) and key in rule:
                yield (*path, index, key), rule[key]


def _in_action(path: Path, action: Mapping[str, Any], kind: Kind) -> Iterator[TextWarning]:
    yield from _in_id((*path, "id"), action.get("id"))
    for name, field in kind.parameters.model_fields.items():
        value_path, value = (*path, name), action.get(name)
        if _is(field, Id):
            yield from _in_id(value_path, value)
        elif isinstance(value, str):
            is_readable = _is(field, ReadableText)
            yield from _in_text(value_path, value, _OTHER_MERGE_FIELD if is_readable else _MERGE_FIELD)
            yield from _in_plain_text(value_path, value)


def _is(field: Any, annotated: Any) -> bool:
    """Return whether a parameter has an annotated type, or that type or null."""
    parts = [field, *getattr(field.annotation, "__args__", ())]
    checks = annotated.__metadata__[1]
    return any(checks in getattr(part, attribute, ()) for part in parts for attribute in ("metadata", "__metadata__"))


def _in_name(path: Path, text: Any) -> Iterator[TextWarning]:
    if isinstance(text, str):
        yield from _in_text(path, text, _MERGE_FIELD)
        yield from _in_markup(path, text)


def _in_id(path: Path, text: Any) -> Iterator[TextWarning]:
    if not isinstance(text, str):
        return
    yield from _in_text(path, text, _MERGE_FIELD)
    if text != unicodedata.normalize("NFC", text):
        sentence = f"{path[-1]} is not in Unicode's composed form (NFC), so others may not find it; type it again"
        yield path, sentence


def _in_redirect(path: Path, text: Any) -> Iterator[TextWarning]:
    if not isinstance(text, str):
        return
    for part in _parts(_MERGE_FIELD, text):
        yield path, f"{part} stays in the address as written: nothing is filled in there; write the value"
    for part in _entities(text):
        yield path, f"{part} is HTML; in an address, write the character itself"
    for part in _parts(_LONE_PERCENT, _MERGE_FIELD.sub("", text)):
        yield path, f"{part} is not a percent-encoded character; write %25 for a percent sign"


def _in_rich_text(path: Path, text: Any) -> Iterator[TextWarning]:
    if not isinstance(text, str):
        return
    yield from _in_text(path, text, _MERGE_FIELD)
    if count_tags(text) <= MAX_TAGS:
        yield from ((path, sentence) for sentence in removals(text))
    for part in _parts(_MARKDOWN, text):
        yield path, f"{part} is Markdown, but the text is HTML; write HTML"


def _in_form(path: Path, form: Any) -> Iterator[TextWarning]:
    if not isinstance(form, dict):
        return
    yield from _in_id((*path, "id"), form.get("id"))
    fields = [(index, field) for index, field in enumerate(_items(form.get("fields"))) if isinstance(field, dict)]
    yield from _in_prefill((*path, "prefill"), form.get("prefill"), [field.get("name") for _, field in fields])
    for index, field in fields:
        yield from _in_field((*path, "fields", index), field)


def _in_prefill(path: Path, prefill: Any, fields: list[Any]) -> Iterator[TextWarning]:
    for index, name in enumerate(_items(prefill)):
        if isinstance(name, str) and name not in PREFILL_FIELDS:
            sentence = f"{name} is not a known field, so it stays empty; known are "
            yield (*path, index), sentence + ", ".join(PREFILL_FIELDS)
        elif isinstance(name, str) and fields and name not in fields:
            yield (*path, index), f"{name} fills in nothing: no field of the form has this name; add one or remove it"


def _in_field(path: Path, field: Mapping[str, Any]) -> Iterator[TextWarning]:
    labels = [((*path, "label"), field.get("label"))]
    labels += [((*path, "options", index), option) for index, option in enumerate(_items(field.get("options")))]
    for label_path, label in labels:
        if isinstance(label, str):
            yield from _in_text(label_path, label, _MERGE_FIELD)
            yield from _in_markup(label_path, label)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in_plain_text(path: Path, text: str) -> Iterator[TextWarning]:
    yield from _in_markup(path, text)
    for part in _parts(_MARKDOWN, text):
        yield path, f"{part} is Markdown, but people see it as written; write plain text"
    unseen = next((letter for letter in text if is_unseen(letter, JOINERS | {"\n", "\t"})), None)
    if unseen:
        yield path, f"{path[-1]} contains {describe(unseen)}; remove it unless it is intended"
    if text != text.strip():
        what = "a line break" if text.rstrip("\r\n") != text else "a blank"
        yield path, f"{path[-1]} starts or ends with {what}, which is kept; remove it unless it is intended"


def _in_markup(path: Path, text: str) -> Iterator[TextWarning]:
    for part in (*_parts(_TAG, text), *_entities(text)):
        yield path, f"{part} is HTML, but people see it as written; write plain text"


def _in_text(path: Path, text: str, merge_field: re.Pattern[str]) -> Iterator[TextWarning]:
    for part in _parts(merge_field, text):
        hint = _FILLED if part.strip("{}$") in PLACEHOLDERS else "there is no placeholder of that name"
        yield path, f"{part} is taken literally: {hint}"


def _parts(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield each distinct match."""
    return iter(dict.fromkeys(match[0] for match in pattern.finditer(text)))


def _entities(text: str) -> Iterator[str]:
    return (part for part in _parts(_ENTITY, text) if part[1] == "#" or part[1:] in html5)
