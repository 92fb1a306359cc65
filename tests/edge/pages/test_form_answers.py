from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.response import FormField, FormFieldType
from edge.pages.form_answers import (
    MAX_ANSWER_CHARACTERS,
    MAX_BODY_BYTES,
    BadBody,
    FieldError,
    FormAnswers,
    read_form,
)
from tests.edge.pages.samples import CLICK_ID, FIELDS, VALUES

URLENCODED = "application/x-www-form-urlencoded"


def read(values: dict[str, str], *fields: FormField) -> FormAnswers:
    return read_form(URLENCODED, urlencode(values).encode(), fields or FIELDS)


def checked(value: str, kind: FormFieldType = FormFieldType.TEXT, *, required: bool = False) -> FieldError | None:
    options = ("Small", "") if kind is FormFieldType.CHOICE else ()
    return read({"a": value}, FormField("a", "A", kind, required=required, options=options)).errors.get("a")


def test_answers_of_a_form() -> None:
    answers = read(VALUES | {"page_click_id": CLICK_ID, "utm_source": "x"})

    assert answers == FormAnswers({"phone": "", "people": "", "day": ""} | VALUES, {}, CLICK_ID)


def test_a_confirmation_has_a_click_id_only() -> None:
    assert read_form(URLENCODED, f"page_click_id={CLICK_ID}".encode(), ()) == FormAnswers({}, {}, CLICK_ID)


@pytest.mark.parametrize(
    "click_id", ["", "x", CLICK_ID.upper(), CLICK_ID + "\n", CLICK_ID.replace("-", ""), f"{{{CLICK_ID}}}", "٠" * 36]
)
def test_an_invalid_click_id_is_none(click_id: str) -> None:
    assert read({"page_click_id": click_id}).page_click_id is None


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (
            FormFieldType.EMAIL,
            ["a@b", "a.b+c@sub.example.com", " a@b.nl\t"],
            ["a", "@b", "a@", "a b@c", "a@b..c", "a@-b", "a@b,c@d", "ä@b.nl", "a@" + "b" * 64, "a" * 250 + "@b.nl"],
        ),
        (
            FormFieldType.NUMBER,
            ["0", "-1", "3.5", ".5", "1e9", " 7 "],
            ["x", "1,5", "1.", "+1", "0x1", "1e", "NaN", "inf", "١", "--1"],
        ),
        (
            FormFieldType.DATE,
            ["2026-12-01", "2028-02-29"],
            ["2026-02-29", "2026-13-01", "01-12-2026", "20261201", "2026-W01-1", "2026-12-1", "0000-01-01"],
        ),
        (FormFieldType.CHOICE, ["Small", ""], ["small", "Large", "Small "]),
        (FormFieldType.CHECKBOX, ["true", "false", ""], ["on", "1"]),
        (FormFieldType.TEL, ["+31 20 123 45 67", "what you like"], []),
    ],
)
def test_checks_of_the_types(kind: FormFieldType, right: list[str], wrong: list[str]) -> None:
    assert {value: checked(value, kind) for value in right} == dict.fromkeys(right)
    assert {value: checked(value, kind) for value in wrong} == {value: FieldError(kind.value) for value in wrong}


@pytest.mark.parametrize("kind", [kind for kind in FormFieldType if kind is not FormFieldType.CHECKBOX])
def test_a_required_answer(kind: FormFieldType) -> None:
    assert checked("", kind, required=True) is FieldError.REQUIRED
    assert checked(" ", FormFieldType.MULTILINE, required=True) is FieldError.REQUIRED
    assert checked("", kind) is None


def test_a_checkbox_that_is_not_checked_is_false() -> None:
    field = FormField("a", "A", FormFieldType.CHECKBOX, required=True)
    assert read({}, field) == FormAnswers({"a": "false"}, {"a": FieldError.CHECKBOX}, None)


@pytest.mark.parametrize("control", ["\x00", "\x08", "\x0b", "\x1b", "\x1f"])
def test_control_characters_are_refused(control: str) -> None:
    assert checked(f"a{control}b") is FieldError.CONTROL
    assert checked(f"a{control}b", FormFieldType.MULTILINE) is FieldError.CONTROL


def test_line_breaks_belong_to_several_lines() -> None:
    assert read({"a": "one\r\n\ttwo\n"}, FormField("a", "A", FormFieldType.MULTILINE)).values == {"a": "one\n\ttwo\n"}
    assert checked("one\ntwo") is FieldError.CONTROL


def test_a_long_answer() -> None:
    assert checked("ä" * MAX_ANSWER_CHARACTERS) is None
    assert checked("x" * (MAX_ANSWER_CHARACTERS + 1)) is FieldError.TOO_LONG


def test_text_is_utf_8() -> None:
    field = FormField("näme", "A")
    assert read_form(URLENCODED + "; charset=UTF-8", "näme=J%C3%B6+%F0%9F%98%80ü".encode(), [field]).values == {
        "näme": "Jö 😀ü"
    }


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        (None, b"a=1", "not application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=x", b"--x--", "not application/x-www-form-urlencoded"),
        ("text/plain", b"a=1", "not application/x-www-form-urlencoded"),
        (URLENCODED, b"a=" + b"x" * MAX_BODY_BYTES, "larger"),
        (URLENCODED, b"a=%ff", "UTF-8"),
        (URLENCODED, b"a=\xff", "UTF-8"),
        (URLENCODED, b"a=%ed%a0%80", "UTF-8"),
        (URLENCODED, b"&".join(b"f%d=1" % number for number in range(10_000))[:MAX_BODY_BYTES], "more than"),
        (URLENCODED, b"&" * 10_000, "more than"),
        (URLENCODED, b"name=1&name=2", "twice"),
        (URLENCODED, b"page_click_id=&page_click_id=", "twice"),
    ],
)
def test_a_body_that_no_form_sends(content_type: str | None, body: bytes, told: str) -> None:
    with pytest.raises(BadBody, match=told):
        read_form(content_type, body, FIELDS)


@given(st.one_of(st.binary(), st.text(st.sampled_from("name=&%+;1\x00")).map(str.encode)))
def test_any_body_gives_answers_or_bad_body(body: bytes) -> None:
    try:
        answers = read_form(URLENCODED, body, FIELDS)
    except BadBody:
        return
    assert answers.values.keys() == {field.name for field in FIELDS}


@given(st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.text(st.characters(codec="utf-8"))))
def test_only_what_fits_is_free_of_errors(values: dict[str, str]) -> None:
    """The record takes what has no error: text without control characters, of bounded length."""
    answers = read(values)
    for name in answers.values.keys() - answers.errors.keys():
        value = answers.values[name]
        assert len(value) <= MAX_ANSWER_CHARACTERS
        assert not any(ord(character) < 32 and character not in "\n\t" for character in value)
