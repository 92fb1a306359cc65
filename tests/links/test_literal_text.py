"""Warnings about text that is taken literally but may be meant otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.links.literal_text import _entities, literal_text_warnings
from tests.links.builders import GOOD, KINDS, mistakes_in, warnings_in, with_action

FOLLOW_UP = "kind: follow_up, type: task, created_by: anna, default_recipient: bo"
REDIRECT = '{redirect: "https://example.com/spring"}'


def with_response(response: str) -> str:
    return GOOD.replace(REDIRECT, response)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (with_response('{redirect: "https://e.com/?r={recipient_id}"}'), "{recipient_id} stays in the address"),
        (with_response('{redirect: "https://e.com/?r=%EMAIL%"}'), "%EMAIL% stays in the address as written"),
        (with_response('{redirect: "https://e.com/?r=*|EMAIL|*"}'), "*|EMAIL|* stays in the address"),
        (with_response('{redirect: "https://e.com/?r={{email}}"}'), "{{email}} stays in the address"),
        (with_response('{redirect: "https://e.com/?a=1&amp;b=2"}'), "&amp; is HTML; in an address, write"),
        (with_response('{redirect: "https://e.com/100%"}'), "% is not a percent-encoded character; write %25"),
        (with_response("{text: '<p>Hi [FIRST_NAME]</p>'}"), "[FIRST_NAME] is taken literally"),
        (with_response("{text: 'Hi {link_name}'}"), "{link_name} is taken literally"),
        (with_response("{text: '<script>x()</script>Hi'}"), "<script> is not allowed in a text and is left out"),
        (with_response("{text: '<p onclick=\"x()\">Hi'}"), "onclick in <p> is not allowed in a text and is left out"),
        (with_response("{text: '<a href=\" java\tscript:x\">Hi'}"), "href in <a> is left out, because"),
        (with_response("{text: 'Hi <!--[if IE]><script>'}"), "<script> is not allowed in a text and is left out"),
        (with_response("{text: '**Thanks** a lot'}"), "**Thanks** is Markdown, but the text is HTML"),
        (with_response("{form: {id: f, prefill: [email, nonsense]}}"), "nonsense is not a known field"),
        (with_response("{form: {id: 'f{x}'}}"), "{x} is taken literally"),
        (GOOD.replace("Spring offer", "Spring <b>offer</b>"), "<b> is HTML, but people see it as written"),
        (GOOD.replace("Spring offer", "Q&amp;A"), "&amp; is HTML, but people see it as written"),
        (GOOD.replace("Spring offer", "'{flow_id}'"), "{flow_id} is taken literally: placeholders are filled"),
        (GOOD.replace("interest: news", "interest: 'news-{mailing_id}'"), "{mailing_id} is taken literally"),
        (GOOD.replace("interest: news", "interest: cafe\u0301"), "interest is not in Unicode's composed form (NFC)"),
        (with_action("{kind: set_field, field: f, value: '{link_name}'}"), "{link_name} is taken literally"),
        (with_action("{kind: set_field, field: f, value: '<<name>>'}"), "<<name>> is taken literally"),
        (with_action("{kind: set_field, field: f, value: \"yes\\n\"}"), "value starts or ends with a line break"),
        (with_action('{kind: set_field, field: f, value: "a\\u200bb"}'), "value contains U+200B (zero width space)"),
        (with_action(f"{{{FOLLOW_UP}, description: 'Hi <b>you</b>'}}"), "<b> is HTML, but people see it as written"),
        (with_action(f"{{{FOLLOW_UP}, description: 'Hi %NAME%'}}"), "%NAME% is taken literally"),
        (with_action(f"{{{FOLLOW_UP}, description: 'Hi ${{link_name}}'}}"), "${link_name} is taken literally"),
        (with_action(f"{{{FOLLOW_UP}, description: 'x', project: '{{p}}'}}"), "{p} is taken literally"),
        (with_action(f"{{{FOLLOW_UP}, description: '**now**'}}"), "**now** is Markdown, but people see it"),
    ],
)  # fmt: skip
def test_literal_text_is_a_warning(content: str, sentence: str) -> None:
    assert not mistakes_in(content)
    assert any(sentence in warning for warning in warnings_in(content)), warnings_in(content)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        with_response('{redirect: "https://e.com/a%20b/%C3%A6%C3?x=[1]&y=#top&copy=2"}'),
        with_response('{text: \'<p lang="en">5 &lt; 6 <a href="https://e.com">here</a></p>\'}'),
        with_response("{form: {id: f, prefill: [email, first_name]}}"),
        GOOD.replace("Spring offer", "R&D & more: 100 % off [new]"),
        with_action(f"{{{FOLLOW_UP}, description: '[URGENT] Call {{link_name}}: 2 * 3 < 7'}}"),
        with_action("{kind: set_field, field: f, value: ''}"),
        with_action("{kind: set_field, field: f, value: 'a < b'}"),
    ],
)
def test_intended_text_is_not_a_warning(content: str) -> None:
    assert warnings_in(content) == []


def test_warning_has_its_location_and_severity() -> None:
    (warning,) = warnings_in(with_action("{kind: set_field, field: f, value: '{link_name}'}"))

    assert warning.startswith("1.yaml:7:37: warning: link spring, action number 1 (set_field): {link_name} is")


@given(st.text(alphabet="<>!-[]{}&;=\"'/ascript on:%*|#", max_size=60))
def test_any_text_is_checked_without_raising(text: str) -> None:
    raw = {
        "id": text,
        "name": text,
        "response": {"redirect": text, "text": text, "form": {"id": text, "prefill": [text]}},
    }
    list(literal_text_warnings((), raw | {"actions": [{"kind": "set_field", "value": text}, text]}, KINDS))


@pytest.mark.parametrize(
    "part",
    ["<", "<a ", "{", "[", "[a](", "**", "&", "<!--", "%", "<<", "<a href='", "<div>", "<svg>", "&lt;", "x", "x:"],
)
def test_long_text_is_checked_quickly(part: str) -> None:
    list(literal_text_warnings((), {"response": {"text": part * (200_000 // len(part))}}, KINDS))


def test_only_html_entities_are_reported() -> None:
    assert list(_entities("&amp; &nosuch; &#8364;")) == ["&amp;", "&#8364;"]
