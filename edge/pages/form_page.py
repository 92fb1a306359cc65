"""The page with a form: the fields that the link's author defined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actions.response import FormField, FormFieldType
from edge.pages.confirmation import listed_effects
from edge.pages.form_answers import CHECKED, MAX_ANSWER_CHARACTERS, FieldError
from edge.pages.layout import PAGE_CLICK_ID, page, paragraph, posted_form
from edge.pages.markup import Html, escaped, isolated, joined
from edge.pages.messages import Messages, messages_in


def form_page(
    language: str,
    fields: Sequence[FormField],
    *,
    path: str,
    page_click_id: str,
    values: Mapping[str, str],
    errors: Mapping[str, FieldError] | None = None,
    effects: Sequence[Html] = (),
) -> bytes:
    """Return the page; `values` are the answers filled in and `errors` what to change, both by field name.

    The first field with an error has the focus. The button POSTs to `path` with `page_click_id`, the id of the click
    that first showed the page. `effects` are sentences of `effect_of`: what the button does beside sending the form.
    """
    words, errors = messages_in(language), errors or {}
    first_error = next((field.name for field in fields if field.name in errors), None)
    shown = [
        _shown(_Entry(field, f"field-{number}", values.get(field.name, ""), errors.get(field.name)), words, first_error)
        for number, field in enumerate(fields)
    ]
    promised = [listed_effects(effects, words)] if effects else []
    form = posted_form(path, {PAGE_CLICK_ID: page_click_id}, words.form_button, *shown, *promised)
    if first_error is None:
        return page(language, words.form_title, form)
    return page(language, words.form_errors_title, paragraph(words.form_errors), form)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A field with its answer; `key` is its id in the page."""

    field: FormField
    key: str
    value: str
    error: FieldError | None


def _shown(entry: _Entry, words: Messages, first_error: str | None) -> Html:
    attributes = _attributes(entry, focused=entry.field.name == first_error)
    label = isolated(entry.field.label)
    if entry.field.required:
        label = Html(f"{label} ({escaped(words.form_required)})")
    parts = [*_error(entry, words), _control(entry, attributes, words)]
    if entry.field.type is FormFieldType.CHECKBOX:
        parts[-1] = Html(f'<label class="check">{parts[-1]}<span>{label}</span></label>')
    else:
        parts.insert(0, Html(f'<label for="{entry.key}">{label}</label>'))
    return joined([Html('<div class="field">'), *parts, Html("</div>")])


def _error(entry: _Entry, words: Messages) -> list[Html]:
    if entry.error is None:
        return []
    sentence = words.field_errors[entry.error].format(limit=MAX_ANSWER_CHARACTERS)
    text = escaped(f"{words.error_prefix} {sentence}")
    return [Html(f'<p class="error" id="{entry.key}-error">{text}</p>')]


def _attributes(entry: _Entry, *, focused: bool) -> Html:
    field = entry.field
    found = [f'id="{entry.key}" name="{escaped(field.name)}"']
    if field.required:
        found.append("required")
    if field.autocomplete:
        found.append(f'autocomplete="{escaped(field.autocomplete)}"')
    if entry.error is not None:
        found.append(f'aria-invalid="true" aria-describedby="{entry.key}-error"')
    if focused:
        found.append("autofocus")
    return Html(" ".join(found))


def _control(entry: _Entry, attributes: Html, words: Messages) -> Html:
    match entry.field.type:
        case FormFieldType.CHOICE:
            return _choice(entry, attributes, words)
        case FormFieldType.CHECKBOX:
            checked = " checked" if entry.value == CHECKED else ""
            return Html(f'<input type="checkbox" value="{CHECKED}" {attributes}{checked}>')
        case FormFieldType.MULTILINE:
            # The parser drops the first line break of a textarea.
            limit = f'rows="5" maxlength="{MAX_ANSWER_CHARACTERS}"'
            return Html(f"<textarea {limit} {attributes}>\n{escaped(entry.value)}</textarea>")
        case _:
            value = escaped(entry.value)
            return Html(f'<input type="{entry.field.type}"{_step(entry.field)} value="{value}" {attributes}>')


def _step(field: FormField) -> str:
    return ' step="any"' if field.type is FormFieldType.NUMBER else ""


def _choice(entry: _Entry, attributes: Html, words: Messages) -> Html:
    options = [
        Html(f'<option value="{escaped(option)}"{_selected(option, entry)}>{escaped(option)}</option>')
        for option in entry.field.options
    ]
    blank = Html(f'<option value="">{escaped(words.form_choose)}</option>')
    return joined([Html(f"<select {attributes}>"), blank, *options, Html("</select>")])


def _selected(option: str, entry: _Entry) -> str:
    return " selected" if option == entry.value else ""
