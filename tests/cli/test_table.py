import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.table import print_table, table_lines, wrapped

COLUMNS = ("link", "status", "version", "name")
LONG = "acme/spring-offer-2026-newsletter-for-existing-customers-block-"
WORDS = st.text("ab", min_size=1, max_size=12)


def test_row_that_fits_is_one_line() -> None:
    lines = list(table_lines(COLUMNS, [("acme/a", "active", "1", "Spring offer"), ("acme/b", "", "12", "x")], 80))

    assert lines == [
        "link    status  version  name",
        "acme/a  active  1        Spring offer",
        "acme/b          12       x",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_long_ids_stay_distinct_and_no_column_is_dropped(width: int) -> None:
    rows = [(f"{LONG}{number}", "active", f"10{number}", "Yes, tell me more about the spring") for number in (1, 2)]
    text = "\n".join(table_lines(COLUMNS, rows, width))

    assert all(text.count(cell) == 1 for cell in (f"{LONG}1", f"{LONG}2", "101", "102", *COLUMNS))
    assert text.count("active") == 2
    assert "…" not in text


def test_overlong_id_has_a_separate_line() -> None:
    lines = list(table_lines(COLUMNS, [(f"{LONG}1", "active", "1", "Yes"), ("acme/b", "active", "2", "No")], 60))

    assert lines[1] == f"{LONG}1"
    assert lines[2].split() == ["active", "1", "Yes"]
    assert lines[0].index("status") == lines[2].index("active") == lines[3].index("active")


def test_only_the_last_column_wraps_and_only_at_blanks() -> None:
    lines = list(table_lines(("a", "b"), [("x", "one two three four five six seven")], 30))

    assert lines == ["a  b", "x  one two three four five six", "   seven"]


def test_row_is_one_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [(f"{LONG}1", "active", 1, "word " * 200), ("b\x1b[2J", None, 2, "")])
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 3
    assert lines[2].split() == [r"b\x1b[2J", "2"]
    assert all(line == line.rstrip() for line in lines)


@given(st.lists(st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=9).map(" ".join)), max_size=5), st.integers(5, 60))
def test_every_word_of_every_cell_is_kept_in_order(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = list(table_lines(("one", "two", "three"), rows, width))

    assert " ".join(lines).split() == ["one", "two", "three", *" ".join(" ".join(row) for row in rows).split()]


@given(st.text("a日 ", max_size=40), st.integers(1, 20))
def test_text_is_wrapped_by_display_width(text: str, width: int) -> None:
    lines = wrapped(text, width)

    assert " ".join(lines) == text
    assert all(cell_len(line) <= width or " " not in line.strip() for line in lines)
