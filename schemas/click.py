"""One click cut from its bytes, field by field: the reference for `click_batch`, and the judge of bad records.

Nothing is decoded that is not needed: identity and shared fields stay bytes, since updates are spliced from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.bad_record import BadRecord, Reason
from schemas.codec import encode_text, frame_length
from schemas.identity import SEPARATOR, record_key
from schemas.record_schema import RecordSchema
from schemas.safety import check_safe
from schemas.walk import Walk

EARLIEST_MS = 946_684_800_000
"""2000-01-01: a click from before then has an absurd time."""

IDENTITY = ("tenant_id", "link_id", "recipient_id")
NAMING = (*range(4), 7, 8, 9)
"""Places of the ids that take part in the name of an update id: identity, click, mailing, flow and flow run."""
SHARED = (*IDENTITY, "click_id", "clicked_at", "person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")
SHARED_CODES = "sssslSSSSS"
TREATMENT_CODES = "Lbb"
_APPENDED_CODES = {"page_click_id": "S", "replayed": "b"}
"""Appended fields that a decision is about; writers with an earlier schema lack them."""
_CODES = {"string": "s", "long": "l", "int": "i", "boolean": "b"}


@dataclass(frozen=True, slots=True)
class ClickLayout:
    """How to walk the bytes of LinkClicked as one writer wrote them.

    `codes` has a letter per field: s string, l long, i int, b boolean, in capitals where null is allowed (null
    first). `tail` has name and type of the appended fields from the first one of another type on. `page_click_id` and
    `replayed` are the indexes of these fields, None if the writer has none.
    """

    codes: str
    names: tuple[str, ...]
    tail: tuple[tuple[str, Any], ...] = ()
    page_click_id: int | None = None
    replayed: int | None = None


class _Walked(NamedTuple):
    """A click's layout, the start of its body, its plain fields, and where each of them ends."""

    layout: ClickLayout
    body: int
    fields: list[Any]
    ends: list[int]

    def appended(self, index: int | None) -> Any:
        """Return an appended field; None if the writer has none."""
        return None if index is None else self.fields[index]


@dataclass(frozen=True, slots=True)
class ParsedClick:
    """The fields of one click that the decision needs."""

    link_key: bytes
    """tenant_id and link_id, encoded as in the click."""
    key: bytes
    """UTF-8 `tenant_id/recipient_id`."""
    shared: bytes
    """The encoded fields of groups 1 and 2, with null for each id that is blank."""
    recipient_id: bytes
    click_id: bytes
    clicked_at: int
    has_person: bool
    has_company: bool
    mailing_id: bytes | None
    flow_id: bytes | None
    flow_run_id: bytes | None
    link_version: int | None
    test: bool
    confirmed: bool
    has_page_click: bool
    """True if the click names the page on which the person pressed the button: it is no hit of its own."""
    replayed: bool


def click_layout(writer: RecordSchema) -> ClickLayout:
    """Return the layout of a writer's schema.

    Raises ValueError if one of the first thirteen fields, `page_click_id` or `replayed` is not that of the contract,
    UnsafeSchema if decoding the appended fields could crash.
    """
    check_safe(writer.definition)
    fields = [(field["name"], field["type"]) for field in writer.form["fields"]]
    codes = [_code(form) for _, form in fields]
    plain = next((index for index, code in enumerate(codes) if code is None), len(codes))
    layout = "".join(code for code in codes[:plain] if code)
    if not layout.startswith(SHARED_CODES + TREATMENT_CODES):
        raise ValueError(f"the first thirteen fields of {writer.name} are not those of LinkClicked")
    names = tuple(name for name, _ in fields)
    indexes = {name: names.index(name) for name in _APPENDED_CODES if name in names}
    for name, index in indexes.items():
        if layout[index : index + 1] != _APPENDED_CODES[name]:
            raise ValueError(f"the field {name} of {writer.name} is not that of LinkClicked")
    return ClickLayout(layout, names[:plain], tuple(fields[plain:]), **indexes)


def parse_click(value: bytes, layouts: Mapping[bytes, ClickLayout]) -> ParsedClick:
    """Walk one value to its last byte and cut out what is needed.

    `layouts` maps the frames that are allowed to their layout. Raises only BadRecord,
    whatever is wrong with the bytes.
    """
    return _click_cut(value, _walk(value, layouts))


def without_blank_ids(value: bytes, layouts: Mapping[bytes, ClickLayout]) -> bytes:
    """Return the click with null for each id that is blank; the value itself if none is. Raises BadRecord."""
    walked = _walk(value, layouts)
    return value[: walked.body] + _click_cut(value, walked).shared + value[walked.ends[9] :]


def _walk(value: bytes, layouts: Mapping[bytes, ClickLayout]) -> _Walked:
    """Walk one value to its last byte."""
    body = frame_length(value)
    layout = layouts.get(value[:body])
    if layout is None:
        raise BadRecord(Reason.UNKNOWN_SCHEMA, f"no schema of LinkClicked is known for the frame {value[:body].hex()}")
    walk = Walk(value, body)
    fields, ends = [], []
    for code, name in zip(layout.codes, layout.names, strict=True):
        fields.append(_read(walk, code, name))
        ends.append(walk.position)
    for name, form in layout.tail:
        walk.skip(form, name)
    walk.end()
    return _Walked(layout, body, fields, ends)


def is_blank(text: bytes) -> bool:
    """Return whether an id is empty or only white space (ASCII), which exports write for an unknown id."""
    return not text.strip()


def _click_cut(value: bytes, walked: _Walked) -> ParsedClick:
    layout, body, fields, ends = walked
    _check_ids(fields)
    if fields[10] is not None and fields[10] < 1:
        raise BadRecord(Reason.MALFORMED, "link_version is below 1, where versions start")
    known = [None if id_ is None or is_blank(id_) else id_ for id_ in fields[5:10]]
    # Encoded only where it differs, which is hardly ever.
    optional = value[ends[4] : ends[9]] if known == fields[5:10] else b"".join(map(_encode_optional, known))
    person_id, company_id, mailing_id, flow_id, flow_run_id = known
    page_click_id = walked.appended(layout.page_click_id)
    return ParsedClick(
        link_key=value[body : ends[1]],
        key=record_key(fields[0], fields[2]),
        shared=value[body : ends[4]] + optional,
        recipient_id=fields[2],
        click_id=fields[3],
        clicked_at=fields[4],
        has_person=person_id is not None,
        has_company=company_id is not None,
        mailing_id=mailing_id,
        flow_id=flow_id,
        flow_run_id=flow_run_id,
        link_version=fields[10],
        test=bool(fields[11]),
        confirmed=bool(fields[12]),
        has_page_click=page_click_id is not None and not is_blank(page_click_id),
        replayed=bool(walked.appended(layout.replayed)),
    )


def _check_ids(fields: list[Any]) -> None:
    """Refuse what no id may be; the names in order, so that the first mistake of a click is the one that is told."""
    for name, part in zip(IDENTITY, fields, strict=False):
        if is_blank(part):
            raise BadRecord(Reason.IDENTITY_MISSING, f"{name} is empty")
    if is_blank(fields[3]):
        raise BadRecord(Reason.CLICK_ID_MISSING, "click_id is empty, so this click cannot be told from another")
    for place in NAMING:
        if fields[place] is not None and SEPARATOR in fields[place]:
            raise BadRecord(Reason.IDENTITY_INVALID, f"{SHARED[place]} holds the control character U+001F")
    if b"/" in fields[0]:
        raise BadRecord(Reason.IDENTITY_INVALID, "tenant_id holds a slash")


def _encode_optional(text: bytes | None) -> bytes:
    return b"\x00" if text is None else b"\x02" + encode_text(text)


def _read(walk: Walk, code: str, name: str) -> bytes | int | None:
    """Read one field by its letter."""
    if code.isupper() and walk.index(name, 2) == 0:
        return None
    match code.lower():
        case "s":
            return walk.text(name)
        case "b":
            return walk.boolean(name)
        case "i":
            return walk.short_number(name)
    return walk.number(name)


def _code(form: Any) -> str | None:
    if isinstance(form, str):
        return _CODES.get(form)
    if isinstance(form, list) and len(form) == 2 and form[0] == "null":
        code = _code(form[1])
        return code.upper() if code else None
    return None
