"""What an id may be made of, and which two look the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ids import JOINERS, check_id, check_line, looks_of


@pytest.mark.parametrize("text", ["a", "4711", "Product news", "før-påske", "спасибо", "a/b", "x" * 200, "价格"])
def test_what_shows_is_an_id(text: str) -> None:
    assert check_id(text) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty; write something"),
        ("   ", "it is empty"),
        ("\u200b", "U\\+200B \\(zero width space\\), which nothing shows at character 1; remove it"),
        ("x" * 201, "it has 201 characters; use at most 200"),
        ("a\n", "it ends with a line break; write it on one line, or after |- instead of |"),
        ("a\nb", "it holds a line break, tab or other control character at character 2"),
        ("a ", "it starts or ends with a blank"),
        ("a\u00a0b", "no-break space"),
        ("a\u00adb", "soft hyphen"),
        ("\ufeffa", "U\\+FEFF"),
        ("a\u202eb", "right-to-left override"),
        ("a\u2028", "line separator"),
        ("a\u034fb", "combining grapheme joiner"),
        ("a\u3164", "hangul filler"),
        ("a\ufe0f", "variation selector-16"),
        ("a\ue000", "U\\+E000"),
        ("\x1b[31ma", "control character at character 1"),
    ],
)
def test_what_does_not_show_is_told_with_its_name(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("|", "[|]")):
        check_id(text)


def test_a_name_for_people_may_hold_what_joins_letters() -> None:
    family = "\U0001f468\u200d\U0001f469"
    assert check_line(f"Oui\u00a0! {family}", allowed=JOINERS)


@pytest.mark.parametrize(
    "other", ["cafe\u0301", "caf\u00e9\u200b", "\u00adcaf\u00e9", "caf\u00e9 ", "\uff43af\u00e9", "c\u200daf\u00e9"]
)
def test_ids_that_differ_by_what_nobody_sees_look_the_same(other: str) -> None:
    assert looks_of(other) == looks_of("caf\u00e9")


@pytest.mark.parametrize("other", ["cafe", "Café", "caf\u00e8"])
def test_ids_that_differ_to_the_eye_do_not(other: str) -> None:
    assert looks_of(other) != looks_of("caf\u00e9")


@given(st.text(max_size=8))
def test_looks_are_their_own(text: str) -> None:
    assert looks_of(looks_of(text)) == looks_of(text)
