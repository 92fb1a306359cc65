import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.terminal.text import counted, is_encodable, printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ø 日本 🙂", "plain ø 日本 🙂"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("a\u200bb\u2028c\u0085d", r"a\u200bb\u2028c\x85d"),
        ("a\x00b\x7fc", r"a\x00b\x7fc"),
        ("a\udce9b", r"a\udce9b"),
        (None, "None"),
    ],
)
def test_control_characters_are_escaped(text: object, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(st.characters(exclude_characters="\\")), st.text(st.characters(exclude_characters="\\")))
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (printable(one) == printable(other)) == (one == other)


def test_message_keeps_its_line_breaks() -> None:
    assert printable_lines("a\n  b\x1b") == "a\n  b\\x1b"


def test_counted_noun() -> None:
    assert [counted(number, "click") for number in (0, 1, 2)] == ["0 clicks", "1 click", "2 clicks"]
    assert counted(2, "entry", "entries") == "2 entries"


def test_bytes_of_another_encoding_are_not_encodable() -> None:
    assert is_encodable("S\xf8ren")
    assert not is_encodable(b"S\xf8ren".decode(errors="surrogateescape"))
