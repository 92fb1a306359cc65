import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.text import CLICK_PLACEHOLDERS, LINK_PLACEHOLDERS, check_placeholders, depends_on_click, fill, utc_text
from tests.actions.builders import NOON, click_facts, link_facts


@pytest.mark.parametrize("name", LINK_PLACEHOLDERS + CLICK_PLACEHOLDERS)
def test_known_placeholders_pass_the_check(name: str) -> None:
    assert check_placeholders(f"a {{{name}}} b") == f"a {{{name}}} b"


@pytest.mark.parametrize(
    "text", ["{nobody}", "{}", "{ link_name }", "{Link_name}", "{link_name", "link_name}", "{{link_name}}"]
)
def test_any_other_brace_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="is no placeholder; known are"):
        check_placeholders(text)


@pytest.mark.parametrize("name", LINK_PLACEHOLDERS)
def test_what_the_link_says_is_the_same_for_every_click(name: str) -> None:
    assert not depends_on_click(f"{{{name}}}")


@pytest.mark.parametrize("name", CLICK_PLACEHOLDERS)
def test_what_the_click_says_is_not(name: str) -> None:
    assert depends_on_click(f"{{{name}}}")


def test_an_unknown_value_becomes_an_empty_text() -> None:
    text = "[{mailing_id}] [{flow_id}] [{link_url}]"

    assert fill(text, link_facts(url=None), click_facts(mailing_id=None, flow_id=None)) == "[] [] []"


def test_what_was_put_in_is_not_filled_in_again() -> None:
    assert fill("{link_name}", link_facts(name="{mailing_id}"), click_facts(mailing_id="m-1")) == "{mailing_id}"


def test_a_text_about_the_click_needs_one() -> None:
    with pytest.raises(ValueError, match="only be filled in for one"):
        fill("{clicked_at}", link_facts(), None)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "1970-01-01T00:00:00Z"), (NOON + 999, "2026-11-25T12:00:00Z"), (-1, "1969-12-31T23:59:59Z")],
)
def test_times_are_written_in_utc_and_whole_seconds(milliseconds: int, text: str) -> None:
    assert utc_text(milliseconds) == text


@pytest.mark.parametrize("milliseconds", [2**63 - 1, -(2**63), 253_402_300_800_000, -62_135_596_800_001])
def test_a_time_that_no_calendar_has_is_a_number(milliseconds: int) -> None:
    assert utc_text(milliseconds) == str(milliseconds)


@settings(deadline=None)
@given(st.text())
def test_the_check_finds_every_text_without_braces_right_and_fills_in_nothing(text: str) -> None:
    plain = text.replace("{", "").replace("}", "")

    assert fill(check_placeholders(plain), link_facts(), click_facts()) == plain
