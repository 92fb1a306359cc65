from collections.abc import Callable

import nh3
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actions.response import FormField, FormFieldType
from edge.pages.confirmation import confirmation_page
from edge.pages.form_answers import CHECKED, FieldError
from edge.pages.form_page import form_page
from edge.pages.language import LANGUAGES
from edge.pages.markup import Html, isolated
from edge.pages.notices import not_ready_page, text_page, try_again_page
from tests.edge.pages.parsed import parsed
from tests.edge.pages.samples import CLICK_ID, ERRORS, FIELDS, PATH, TARGET, VALUES, a_confirmation, a_form, all_pages

HOSTILE = [
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title></style></textarea></select></h1><h1>",
    "<!--",
    "<![CDATA[",
    "\u202eevil\u2066",
    "a\x00b\x1b[0m\ud800\uffff",
    "&lt;script&gt;&quot;",
    "{name}{0.__class__}%s$x",
    "\n\r\n",
    "x" * 20_000,
]
NO_RESOURCE = {"script", "link", "iframe", "object", "embed", "svg", "img", "base", "video", "audio"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_frame_of_every_page(language: str) -> None:
    for name, content in all_pages(language).items():
        page = parsed(content)
        assert content.startswith(b"<!doctype html>\n"), name
        assert page.all("html") == [{"lang": language, "dir": "ltr"}]
        assert [len(page.all(tag)) for tag in ("h1", "main", "title", "style")] == [1, 1, 1, 1], name
        assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
        assert {"name": "robots", "content": "noindex, nofollow"} in page.all("meta")
        assert not NO_RESOURCE & {tag for tag, _ in page.starts}, name
        assert not any(attribute.startswith("on") for _, attributes in page.starts for attribute in attributes)
        assert "{" not in page.text, name


def test_confirmation_has_one_button_that_posts_to_the_same_path() -> None:
    page = parsed(a_confirmation())

    assert page.all("form") == [{"method": "post", "action": PATH}]
    assert page.all("input") == [{"type": "hidden", "name": "page_click_id", "value": CLICK_ID}]
    assert page.all("button") == [{"type": "submit"}]
    assert [link["href"] for link in page.all("a")] == [TARGET]
    assert "Spring offer" in page.text


def test_confirmation_without_a_target_has_no_link() -> None:
    page = parsed(confirmation_page("en", link_name="a", effects=[], path=PATH, page_click_id=CLICK_ID))
    assert page.all("a") == []


def test_equal_effects_are_shown_once() -> None:
    effects = [isolated("one"), isolated("two"), isolated("one")]
    page = parsed(confirmation_page("en", link_name="a", effects=effects, path=PATH, page_click_id=CLICK_ID))
    assert len(page.all("li")) == 2


def test_every_control_of_a_form_has_a_label() -> None:
    page = parsed(a_form())
    controls = [
        control
        for tag in ("input", "select", "textarea")
        for control in page.all(tag)
        if control.get("type") not in {"hidden", "checkbox"}
    ]

    assert {control["id"] for control in controls} == {label["for"] for label in page.all("label") if "for" in label}
    assert {control["name"] for control in controls} == {field.name for field in FIELDS} - {"terms"}
    assert page.all("form") == [{"method": "post", "action": PATH}]
    assert page.all("input")[0] == {"type": "hidden", "name": "page_click_id", "value": CLICK_ID}


def test_a_form_shows_the_values() -> None:
    content = a_form().decode()
    controls = {control["name"]: control for control in parsed(content.encode()).all("input")}

    assert controls["email"] == {
        "type": "email",
        "id": "field-1",
        "name": "email",
        "value": "ann@example.com",
        "required": None,
        "autocomplete": "email",
    }
    assert "checked" in controls["terms"]
    assert '<option value="Large" selected>' in content
    assert ">\nOne\nTwo</textarea>" in content
    assert "autofocus" not in content


def test_a_choice_that_is_no_option_is_not_selected() -> None:
    assert b" selected" not in a_form(values={"size": "Medium"})


def test_a_form_with_errors_names_each_and_focuses_on_the_first() -> None:
    page = parsed(a_form(errors=ERRORS))
    marked = {
        attributes["name"]: attributes["aria-describedby"]
        for _, attributes in page.starts
        if attributes.get("aria-invalid") == "true"
    }

    assert marked.keys() == ERRORS.keys()
    assert set(marked.values()) == {text["id"] for text in page.all("p") if text.get("class") == "error"}
    assert [attributes["name"] for _, attributes in page.starts if "autofocus" in attributes] == ["email"]
    assert "Error: Please use at most 10000 characters." in page.text


def test_errors_of_other_fields_do_not_count() -> None:
    assert a_form(errors={"gone": FieldError.DATE}) == a_form()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<h1>Own</h1><p>a</p><h1>b</h1>", "<h1>Own</h1><p>a</p><h2>b</h2>"),
        ("<h1>Own<div><h1>a</h1></div></h1><h1>b</h1>", "<h1>Own<div><h2>a</h2></div></h1><h2>b</h2>"),
        ("<h2>a</h2><h1>Own</h1><hr>", "<h2>a</h2><h1>Own</h1><hr>"),
    ],
)
def test_the_texts_own_heading_is_the_pages(text: str, shown: str) -> None:
    content = text_page("en", Html(nh3.clean(text)), title="Name").decode()
    assert f"<main>\n{shown}\n</main>" in content
    assert content.count("Name") == 1


def test_a_text_without_heading_has_the_title() -> None:
    page = parsed(text_page("en", Html("<p>a</p>"), title="Name"))
    assert len(page.all("h1")) == 1
    assert page.text.count("Name") == 2


def test_a_post_is_sent_again_with_its_fields() -> None:
    page = parsed(try_again_page("en", PATH, VALUES))
    assert {field["name"]: field["value"] for field in page.all("input")} == VALUES
    assert page.all("form") == [{"method": "post", "action": PATH}]
    assert page.all("a") == []


def test_a_form_says_what_its_button_does_besides() -> None:
    page = parsed(form_page("en", FIELDS, path=PATH, page_click_id="", values={}, effects=[isolated("Leave")] * 2))
    assert "If you press the button, this will happen:" in page.text
    assert page.text.count("Leave") == 1


def with_text(text: str) -> dict[str, bytes]:
    """Every page that takes a text, with this one everywhere."""
    field = FormField("a" + text, text, FormFieldType.CHOICE, autocomplete="b" + text, options=("c" + text, "d" + text))
    types = [kind for kind in FormFieldType if kind is not FormFieldType.CHOICE]
    fields = [field, *(FormField(kind + text, text, kind) for kind in types)]
    values = {field.name: text for field in fields}
    errors = {field.name: FieldError.CONTROL}
    return {
        "confirmation": confirmation_page(
            "en", link_name=text, effects=[isolated(text)], path=text, page_click_id=text, target_url=text
        ),
        "form": form_page("en", fields, path=text, page_click_id=text, values=values, errors=errors),
        "text": text_page("en", Html("<p>a</p>"), title=text),
        "not ready": not_ready_page("en", text),
        "try again": try_again_page("en", text, {"e" + text: text}),
    }


def assert_same_tags(text: str) -> None:
    harmless = with_text("harmless")
    for name, content in with_text(text).items():
        page, expected = parsed(content), parsed(harmless[name])
        assert page.tags() == expected.tags(), name
        assert page.ends == expected.ends, name
        assert page.others == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_makes_no_tag(text: str) -> None:
    assert_same_tags(text)


@given(st.text(st.one_of(st.sampled_from("<>\"'&/!-=`{}\x00\r\n\u202e"), st.characters()), min_size=1))
def test_no_text_makes_a_tag(text: str) -> None:
    assume(text != CHECKED)  # the answer of a box that is ticked
    assert_same_tags(text)


def test_planted_unescaped_text_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    unescaped: Callable[[str], Html] = Html
    monkeypatch.setattr("edge.pages.layout.escaped", unescaped)
    with pytest.raises(AssertionError):
        assert_same_tags('"><b>')


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_values_come_back_as_they_are(text: str) -> None:
    """Apart from what HTML does not allow."""
    field = FormField("a", "A")
    page = parsed(form_page("en", [field], path=PATH, page_click_id=CLICK_ID, values={"a": text}))
    if text.isprintable():
        assert page.all("input")[1]["value"] == text


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", "\uffff"])
def test_characters_that_html_does_not_allow_are_replaced(bad: str) -> None:
    for content in with_text(f"a{bad}b").values():
        assert bad not in content.decode()
        assert "a\ufffdb" in content.decode()


def test_the_writing_direction_of_a_text_ends_with_it() -> None:
    page = a_confirmation(link_name="\u202eevil").decode()
    assert "<bdi>\u202eevil</bdi>" in page
    assert page.count("\u202e") == page.count("<bdi>\u202e")
    assert "<title>evil</title>" in text_page("en", Html(""), title="\u202eevil").decode()
