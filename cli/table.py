"""Tables on standard output: nothing is cut and no column is left out, however narrow the terminal."""

import sys
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from runtime.terminal.streams import takes_colors, width_of
from runtime.terminal.text import printable

GAP = "  "
NARROWEST = 24
"""Least width of the last column, whose texts wrap, in cells."""

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class Whole(str):
    """A text that is not wrapped, so that a command in it can be copied; for the last column."""

    __slots__ = ()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns; None is shown as nothing. If output is no terminal, each row is one line."""
    cells = [list(map(_cell, row)) for row in rows]
    heading, *lines = table_lines(columns, cells, width_of(sys.stdout))
    is_bold = takes_colors(sys.stdout)
    for line in (f"{BOLD}{heading}{PLAIN}" if is_bold else heading, *lines):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield the heading and the rows, no wider than `width` cells as far as their words allow; None means no limit.

    The last column wraps at blanks. A cell that is wider than its column ends its line, and the row continues below:
    an id is never cut, so two ids never look the same.
    """
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    if width is not None:
        widths = _fitted(widths, list(map(cell_len, columns)), width)
    yield from _row_lines(columns, widths)
    for row in rows:
        yield from _row_lines(row, widths)


def _cell(value: object) -> str:
    text = "" if value is None else printable(value)
    return Whole(text) if isinstance(value, Whole) else text


def _fitted(widths: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Narrow columns until they fit: the last one if that is enough, otherwise also the widest."""
    *before, last = widths
    room = width - len(GAP) * len(before)
    if sum(before) + min(last, NARROWEST) <= room:
        return [*before, min(last, room - sum(before))]
    last = min(last, max(NARROWEST, room * 2 // 5))
    while (surplus := sum(before) + last - room) > 0 and any(map(int.__gt__, before, least)):
        widest = max(range(len(before)), key=lambda column: before[column] - least[column])
        before[widest] = max(least[widest], before[widest] - surplus)
    return [*before, last]


def _row_lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    line = ""
    starts = [sum(widths[:column]) + len(GAP) * column for column in range(len(widths))]
    for cell, start in zip(row[:-1], starts[:-1], strict=True):
        if cell_len(line) > max(start - len(GAP), 0):
            yield line
            line = ""
        line = f"{line}{' ' * (start - cell_len(line))}{cell}" if cell else line
    first, *others = [row[-1]] if isinstance(row[-1], Whole) else wrapped(row[-1], widths[-1])
    if first and cell_len(line) > max(starts[-1] - len(GAP), 0):
        yield line
        line = ""
    yield f"{line}{' ' * (starts[-1] - cell_len(line))}{first}".rstrip()
    for other in others:
        yield " " * starts[-1] + other


def wrapped(text: str, width: int) -> list[str]:
    """Wrap the text at blanks; a word wider than a line is not broken."""
    lines: list[str] = [""]
    for number, word in enumerate(text.split(" ")):
        longer = f"{lines[-1]} {word}" if number else word
        if number and cell_len(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
