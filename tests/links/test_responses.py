"""Redirects with rules, and the fields of forms, as link files write them."""

import re
from collections.abc import Sequence

import pytest

from actions.response import Form, FormField, FormFieldType, Redirect, RedirectCondition, RedirectRule, Response, Text
from consumer.links.form_model import MAX_FIELDS, MAX_OPTIONS
from consumer.links.link_files import read_sources
from consumer.links.redirect_model import MAX_RULES
from runtime.authoring.source_files import SourceFile
from tests.links.builders import GOOD, KINDS, links_in, mistakes_in, warnings_in

URL = "https://example.com/"
REDIRECT = '{redirect: "https://example.com/spring"}'
SIZE = "name: size, label: Size, type: choice"


def with_response(response: str) -> str:
    return GOOD.replace(REDIRECT, response)


def with_rules(*rules: str) -> str:
    return with_response(f"{{redirect: [{', '.join(rules)}]}}".replace("URL", f'"{URL}"'))


def with_fields(*fields: str) -> str:
    written = ", ".join(f"{{{field}}}" for field in fields)
    return with_response(f"{{form: {{id: f, fields: [{written}]}}}}")


def response_in(content: str) -> Response:
    (link,) = links_in(content)
    return link.response


NL = RedirectRule(RedirectCondition.LANGUAGE, f"{URL}nl", "nl")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{when: person_known, to: URL}", RedirectRule(RedirectCondition.PERSON_KNOWN, URL)),
        ("{when: company_known, to: URL}", RedirectRule(RedirectCondition.COMPANY_KNOWN, URL)),
        ("{when: {language: nl}, to: URL}", RedirectRule(RedirectCondition.LANGUAGE, URL, "nl")),
        ("{language: pt-BR, to: URL}", RedirectRule(RedirectCondition.LANGUAGE, URL, "pt-BR")),
        ("{language: no, to: URL}", RedirectRule(RedirectCondition.LANGUAGE, URL, "no")),
    ],
)
def test_rule_is_read(rule: str, expected: RedirectRule) -> None:
    assert response_in(with_rules(rule, '{else: "https://example.com/else"}')) == Redirect(f"{URL}else", (expected,))


def test_rules_keep_their_order() -> None:
    rules = [f"{{language: {language}, to: URL}}" for language in ("nl", "da", "de")]

    redirect = response_in(with_rules(*rules, "{else: URL}"))

    assert isinstance(redirect, Redirect)
    assert [rule.language for rule in redirect.rules] == ["nl", "da", "de"]


def test_else_is_the_url_of_the_link() -> None:
    (link,) = links_in(with_rules("{when: person_known, to: URL}", '{else: "https://example.com/else"}'))

    assert isinstance(link.response, Redirect)
    assert link.response.url == "https://example.com/else"


PERSON = "{when: person_known, to: URL}"


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([], "rules is empty"),
        ([PERSON], "rules: exactly one else must be last, but there is none; write [{when: person_known, to: URL}"),
        (["{else: URL}", PERSON], "exactly one else must be last, but else is number 1 of 2"),
        ([PERSON, "{else: URL}", "{else: URL}"], "but else is number 2 and 3 of 3"),
        (["{else: URL}"], "it has nothing but else; write the address alone, or rules before it"),
        ([PERSON, PERSON, "{else: URL}"], "rule 2 never applies, because rule 1 does first; remove it or move it up"),
        (["{language: nl, to: URL}", "{when: {language: nl}, to: URL}", "{else: URL}"], "rule 2 never applies"),
        (["{language: nl, to: URL}", "{language: nl-BE, to: URL}", "{else: URL}"], "rule 2 never applies, because"),
        (["{language: pt-br, to: URL}", PERSON, "{language: pt-BR, to: URL}", "{else: URL}"], "rule 3 never applies"),
        (["{when: person, to: URL}", "{else: URL}"], "when: it is not a condition; write one of person_known"),
        (["{when: language, to: URL}", "{else: URL}"], "company_known or {language: nl}"),
        (["{when: , to: URL}", "{else: URL}"], "it is not a condition"),
        (["{when: {language: Dutch}, to: URL}", "{else: URL}"], "'Dutch' is not a language tag; write one such as nl"),
        (["{language: NL, to: URL}", "{else: URL}"], "'NL' is not a language tag"),
        (["{when: person_known}", "{else: URL}"], "item 1 of rules: a rule needs one condition and to"),
        (["{to: URL}", "{else: URL}"], "a rule needs one condition and to"),
        (["{when: person_known, language: nl, to: URL}", "{else: URL}"], "a rule needs one condition and to"),
        (["{when: person_known, else: URL}"], "else has no condition; give it a line of its own"),
        (["{when: person_known, to: example.com}", "{else: URL}"], "to: it is not an absolute http or https address"),
        ([PERSON, "{else: 'javascript:x'}"], "else: it is not an absolute http or https address"),
        ([PERSON, "{els: URL}"], "els is not known here; did you mean else?"),
        (["person_known", "{else: URL}"], "item 1 of rules must have keys with values"),
        ([f"{{language: a{chr(97 + n // 26)}{chr(97 + n % 26)}, to: URL}}" for n in range(MAX_RULES)] + ["{else: URL}"],
         "rules has 21 items; use at most 20"),
    ],
)  # fmt: skip
def test_invalid_rules_are_reported_with_fix(rules: Sequence[str], sentence: str) -> None:
    mistakes = mistakes_in(with_rules(*rules))

    assert any(re.match(r"1\.yaml:5:\d+: link spring: ", each) and sentence in each for each in mistakes), mistakes


def test_mistake_in_a_rule_has_its_line() -> None:
    rules = f'\n        - {{when: person_known, to: example.com}}\n        - {{else: "{URL}"}}'

    (mistake,) = mistakes_in(with_response(f"\n      redirect:{rules}"))

    assert mistake.startswith("1.yaml:7:32: link spring: to: it is not an absolute http or https address")


@pytest.mark.parametrize("written", ["{redirect: {else: x}}", "{redirect: 5}", "{redirect: true}"])
def test_redirect_of_another_shape(written: str) -> None:
    (mistake,) = mistakes_in(with_response(written))

    assert "redirect: it is neither an address in quotes nor a list of rules" in mistake


def test_texts_in_rules_are_checked() -> None:
    content = with_rules("{when: person_known, to: 'https://e.com/?r={{email}}'}", "{else: 'https://e.com/?a&amp;b'}")

    assert [warning.partition("spring: ")[2] for warning in warnings_in(content)] == [
        "{{email}} stays in the address as written: nothing is filled in there; write the value",
        "&amp; is HTML; in an address, write the character itself",
    ]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("name: a, label: A", FormField("a", "A", FormFieldType.TEXT)),
        *((f"name: a, label: A, type: {each}", FormField("a", "A", each))
          for each in FormFieldType if each is not FormFieldType.CHOICE),
        (f"{SIZE}, options: [S, 'No']", FormField("size", "Size", FormFieldType.CHOICE, options=("S", "No"))),
        ("name: m, label: 'E-mail', type: email, required: true, autocomplete: email",
         FormField("m", "E-mail", FormFieldType.EMAIL, required=True, autocomplete="email")),
    ],
)  # fmt: skip
def test_field_is_read(field: str, expected: FormField) -> None:
    assert response_in(with_fields(field)) == Form("f", (), (expected,))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (["name: a, label: A", "name: a, label: B"], "fields: fields 1 and 2 have the same name a; give each its own"),
        ([SIZE], "item 1 of fields: a choice needs options; write options: [S, M, L]"),
        ([f"{SIZE}, options: []"], "a choice needs options"),
        (["name: a, label: A, options: [S]"], "options belong to the type choice, not to text; write type: choice or"),
        ([f"{SIZE}, options: [S, S]"], "options: 'S' is written twice; keep one of them"),
        ([f"{SIZE}, options: [S, '']"], "it is empty; write something"),
        ([f"{SIZE}, options: [{', '.join(f'o{n}' for n in range(MAX_OPTIONS + 1))}]"], "options has 101 items; use at"),
        (["name: a, label: A, type: mail"], "type must be text, multiline, email, tel, number, date"),
        (["name: a, label: A, type: unknown"], "type must be text"),
        (["name: a, label: A, autocomplete: emial"], "that a form may use; did you mean email?"),
        (["name: a, label: A, autocomplete: new-password"], "'new-password' is not an autofill field name"),
        (["name: a, label: A, autocomplete: 'shipping email'"], "is not an autofill field name"),
        (["name: 'a b', label: A"], "'a b' is not a field name; use a letter, then at most 63 letters"),
        (["name: _a, label: A"], "'_a' is not a field name"),
        (["name: page_click_id, label: A"], "every form has a field page_click_id already"),
        (["name: é, label: A"], "is not a field name"),
        (["label: A"], "name is missing; add it"),
        (["name: a"], "label is missing; add it"),
        ([f"name: a, label: {'x' * 201}"], "label: it has 201 characters; use at most 200"),
        (['name: a, label: "A\\nB"'], "label: it holds a line break"),
        (["name: a, label: A, required: 'yes'"], "required must be true or false"),
        (["name: a, label: A, lable: A"], "lable is not known here; did you mean label?"),
        ([f"name: a{n}, label: A" for n in range(MAX_FIELDS + 1)], "fields has 51 items; use at most 50"),
    ],
)  # fmt: skip
def test_invalid_field_is_reported_with_fix(fields: Sequence[str], sentence: str) -> None:
    mistakes = mistakes_in(with_fields(*fields))

    assert any(re.match(r"1\.yaml:5:\d+: link spring: ", each) and sentence in each for each in mistakes), mistakes


def test_regional_form_may_come_before_its_language() -> None:
    languages = ["nl-BE", "nl", "nds", "pt-BR", "pt-PT"]

    assert not mistakes_in(with_rules(*(f"{{language: {each}, to: URL}}" for each in languages), "{else: URL}"))


def test_limits_are_allowed() -> None:
    rules = [f"{{language: a{chr(97 + n)}, to: URL}}" for n in range(MAX_RULES - 1)]
    options = ", ".join(f"o{n}" for n in range(MAX_OPTIONS))
    fields = [f"name: a{n}, label: {'x' * 200}" for n in range(MAX_FIELDS - 1)]

    assert not mistakes_in(with_rules(*rules, "{else: URL}"))
    assert not mistakes_in(with_fields(f"{SIZE}, options: [{options}]", *fields))


@pytest.mark.parametrize("field", ["name: a, label: A, autocomplete: ", "name: a, label: A, options: []"])
def test_empty_value_is_none(field: str) -> None:
    assert response_in(with_fields(field)) == Form("f", (), (FormField("a", "A"),))


def test_prefill_without_its_field_is_a_warning() -> None:
    form = "{id: f, prefill: [email, phone], fields: [{name: email, label: E-mail}]}"

    (warning,) = warnings_in(with_response(f"{{form: {form}}}"))

    assert "warning: link spring: phone fills in nothing: no field of the form has this name" in warning


def test_label_is_not_html() -> None:
    warnings = warnings_in(with_fields(f"{SIZE}, options: ['<b>S</b>']", "name: a, label: 'Hi {{name}}'"))

    assert any("<b> is HTML, but people see it as written" in warning for warning in warnings)
    assert any("{{name}} is taken literally" in warning for warning in warnings)


def test_text_is_published_clean() -> None:
    content = with_response("{text: '<p class=a>Hi <a href=\"https://e.com/\">you</a> & me<script>x</script></p>'}")

    assert not mistakes_in(content)
    assert len(warnings_in(content)) == 2
    (link,) = read_sources([SourceFile("links.yaml", content.encode())], KINDS)[0]
    assert link.response == Text(
        '<p>Hi <a href="https://e.com/" rel="noopener noreferrer nofollow">you</a> &amp; me</p>'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<script>x</script>", "text: nothing of it may be shown; write text"),
        ("<b>" * 5_001 + "x", "text: it has 5001 tags; use at most 5000"),
        ("&" * 50_000, "text: it has 250000 characters as valid HTML; use at most 200000"),
    ],
)
def test_text_that_cannot_be_published(text: str, sentence: str) -> None:
    (mistake,) = mistakes_in(with_response(f"{{text: '{text}'}}"))

    assert sentence in mistake
