from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.authoring.yaml_document import read_document


def problem_in(content: bytes) -> tuple[int, str]:
    (problem,) = read_document(content).problems
    return problem.line, problem.sentence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("''", ""),
        ("'12'", "12"),
        ('"true"', "true"),
        ("12", 12),
        ("-3", -3),
        ("0123", 123),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("4" * 40, "4" * 40),
        ("! 12", "12"),
        (".inf", ".inf"),
    ],
)
def test_plain_values_follow_yaml_1_2(text: str, value: Any) -> None:
    document = read_document(f"a: {text}".encode())

    assert not document.problems
    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)


def test_every_value_knows_its_line() -> None:
    document = read_document(b"a:\n  - x\n  -\n    b: 1\n    c: |\n      two\n      lines\n")

    assert document.lines == {(): 1, ("a",): 1, ("a", 0): 2, ("a", 1): 4, ("a", 1, "b"): 4, ("a", 1, "c"): 5}
    assert document.texts["a", 1, "c"] == "two\nlines\n"


def test_byte_order_mark_is_not_content() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1").data == {"a": 1}


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        (b"", 1, "the file is empty; start it with"),
        (b"# nothing but words\n", 1, "the file is empty; start it with"),
        (b"a: 1\nb: [\n", 3, "this is not YAML; a value is missing here, or a bracket is not closed"),
        (b"a:\n\t- b\n", 2, "indent with blanks, not with tabs"),
        (b"a: b: c\n", 1, "a text with a colon and a blank needs quotes"),
        (b"a: 1\nb: 2\na: 3\n", 3, "a is repeated (first in line 1); keep one of them"),
        (b"a: &x 1\nb: *x\n", 2, "aliases such as *x are not allowed; write the value out"),
        (b"a: !!python/object:os.system x\n", 1, "the tag tag:yaml.org,2002:python/object:os.system is not allowed"),
        (b"a: !point {x: 1}\n", 1, "the tag !point is not allowed; remove it"),
        (b"a: 1\n---\nb: 2\n", 2, "a second document starts here; put it in another file"),
        (b"? [a]\n: b\n", 1, "a key must be a word"),
        (b"a: 1\nb: \xff\n", 2, "this is not UTF-8 text"),
        (b"a: 1\nb: \x07\n", 2, "the character '\\x07' is not allowed in YAML; remove it"),
        (b"a: " + b"[" * 200_000, 1, "this is nested too deeply"),
        (b"a: " + b"{b: " * 200_000, 1, "this is nested too deeply"),
    ],
)
def test_invalid_yaml_is_reported_with_its_line(content: bytes, line: int, sentence: str) -> None:
    found_line, found = problem_in(content)

    assert found_line == line
    assert sentence in found


def test_first_of_repeated_keys_counts_and_all_are_reported() -> None:
    document = read_document(b"a: 1\na: [2, 3]\na: {b: 4}\nc: 5\n")

    assert document.data == {"a": 1, "c": 5}
    assert [problem.line for problem in document.problems] == [2, 3]


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff"])
def test_unusual_line_end_is_reported_and_keeps_line_numbers(character: str) -> None:
    document = read_document(f"a: 'x{character}y'\nb: 1\nb: 2\n".encode())

    assert [(problem.line, problem.column) for problem in document.problems] == [(1, 6), (3, 1)]
    assert f"U+{ord(character):04X}" in document.problems[0].sentence
    assert document.lines["b",] == 2


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_like_in_editors(line_end: str) -> None:
    document = read_document(line_end.join(["a: 1", "b: x\ufeff", "c: [", ""]).encode())

    assert [problem.line for problem in document.problems] == [2, 4]


@pytest.mark.parametrize(
    ("content", "column"),
    [("a: Nyhed #1", 10), ("a: #1", 4), ("a: [x #1\n]", 7), ("a: one\n  two #1", 7), ("a: å b #x", 8)],
)
def test_value_cut_by_a_comment_is_reported(content: str, column: int) -> None:
    (problem,) = read_document(content.encode()).problems

    assert problem.column == column
    assert "is a comment, not part of the value; put the whole value in quotes" in problem.sentence


@pytest.mark.parametrize("content", ["a: x # one", "a: x#1", "a: 'x' #1", "a: |\n  x #1", "#1\na: x\n#2", "a: x ##"])
def test_intended_comment_is_not_reported(content: str) -> None:
    assert not read_document(content.encode()).problems


def test_values_before_a_syntax_error_are_read() -> None:
    document = read_document(b"tenant: acme\nlinks:\n  - {id: a}\n  - {id: b}\n  - {id: c\n  - {id: d}\n")

    assert document.cut
    assert document.data == {"tenant": "acme", "links": [{"id": "a"}, {"id": "b"}]}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_raising(content: bytes) -> None:
    read_document(content)


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{},&*!|>'\"#%@`?\n\t \u2028\ufeff\x85", max_size=60))
def test_any_yaml_like_text_is_read_without_raising(text: str) -> None:
    read_document(text.encode())


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("name: b: c", "a text with a colon and a blank needs quotes"),
        ("a:\n\t- b", "indent with blanks, not with tabs"),
        ("name: @x", "put a text that begins with this character in quotes"),
        ('name: "x', "an earlier quote or bracket is not closed"),
        ('name: "\\q"', "a backslash in double quotes begins an escape"),
        ("a: [b\nc: d", "an earlier bracket is not closed"),
        ("a: 1\n  b: 2\n c", ""),
        ("a:\n  - b\n - c", "indent this line like its neighbours"),
        ("a: 1\nb\n", "a key needs a colon"),
        ("%YAML x\n", ""),
    ],
)
def test_invalid_yaml_gets_plain_advice(content: str, hint: str) -> None:
    (problem,) = read_document(content.encode()).problems

    assert problem.sentence.startswith(f"this is not YAML; {hint}")
    assert not any(
        word in problem.sentence for word in ("while", "token", "scalar", "stream", "node", "flow", "parsing")
    )
