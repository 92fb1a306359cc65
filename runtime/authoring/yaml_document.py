"""Reads a YAML file into plain values with their locations.

The subset is small on purpose: YAML 1.2's plain values (so `no` is a word and 12:30 is not a number), no aliases (a
few of them can expand to gigabytes), no tags, one document, and only the line ends of common editors. Problems are
returned, not raised; the values before them can be used.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

MAX_DEPTH = 20
"""Deeper than any link file, and far below the limit of the stack."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ODD = re.compile("[\x85\u2028\u2029\ufeff]")
"""Line ends of YAML 1.1, which the parser follows and hardly any editor does, and the byte order mark, which no editor
shows."""
_TAKEN_FOR_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Invalid YAML at a line and column counted from 1."""

    line: int
    sentence: str
    column: int = 1


@dataclass(slots=True)
class Document:
    """`data` holds dict, list, str, int, float, bool and None; the others describe the value at a path.

    `texts` has scalars as written. If the file cannot be read to its end, `cut` is true, `problems` says why, and
    `data` has the values before that: all of those two levels down are complete.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    columns: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    cut: bool = False


class _Unusable(Exception):
    """Stops reading at a problem after which the file makes no sense."""

    def __init__(self, event: Any, sentence: str) -> None:
        super().__init__(sentence)
        self.problem = Problem(_line(event), sentence, _column(event))


def read_document(content: bytes) -> Document:
    """Read the content of one file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Document(problems=[Problem(line, "this is not UTF-8 text; save the file as UTF-8")], cut=True)
    problems = [_odd_problem(text, match) for match in _ODD.finditer(text)]
    return _Reader(_ODD.sub(lambda match: "" if match[0] == "\ufeff" else " ", text), problems).read()


def _odd_problem(text: str, match: re.Match[str]) -> Problem:
    line, column = _line_and_column(text, match.start())
    character = match[0]
    what = "a byte order mark" if character == "\ufeff" else unicodedata.name(character, "next line").lower()
    sentence = f"U+{ord(character):04X} ({what}) is in the file, but editors do not show it; remove it"
    return Problem(line, sentence, column)


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    ends = [match.end() for match in _LINE_END.finditer(text, 0, index)]
    return len(ends) + 1, index - (ends[-1] if ends else 0) + 1


def _character_problem(error: yaml.reader.ReaderError, text: str) -> Problem:
    character = error.character if isinstance(error.character, str) else chr(error.character)
    line, column = _line_and_column(text, max(text.find(character), 0))
    return Problem(line, f"the character {character!a} is not allowed in YAML; remove it", column)


_HINTS = (
    ("mapping values are not allowed", "a text with a colon and a blank needs quotes around it"),
    ("cannot start any token", "put a text that begins with this character in quotes"),
    ("end of stream", "an earlier quote or bracket is not closed"),
    ("node content", "a value is missing here, or a bracket is not closed"),
    ("escape", "a backslash in double quotes begins an escape; write two, or use single quotes"),
    ("expected ',' or", "an earlier bracket is not closed, or a comma is missing"),
    ("expected '-' indicator", "indent this line like its neighbours"),
    ("expected key", "indent this line like its neighbours"),
    ("could not find expected ':'", "a key needs a colon and a blank after it"),
)
"""Advice, by a part of the parser's message."""


def _syntax_problem(error: yaml.MarkedYAMLError, source_lines: list[str]) -> Problem:
    mark = error.problem_mark or error.context_mark
    number, column = (mark.line, mark.column) if mark else (0, 0)
    source = "".join(source_lines[number : number + 1])
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return Problem(number + 1, "this is not YAML; indent with blanks, not with tabs", column + 1)
    found = str(error.problem or "")
    hint = next((hint for phrase, hint in _HINTS if phrase in found), "check indentation, colons and quotes")
    return Problem(number + 1, f"this is not YAML; {hint}", column + 1)


class _Reader:
    """Builds values from the parser's events, which come without recursion and with their lines."""

    def __init__(self, text: str, problems: list[Problem]) -> None:
        self._text = text
        self._source_lines = _LINE_END.split(text)
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._document = Document(problems=problems)

    def read(self) -> Document:
        """Return the whole document, or the part before the first problem that stops reading."""
        try:
            self._read_all()
        except yaml.reader.ReaderError as error:
            self._cut(_character_problem(error, self._text))
        except yaml.MarkedYAMLError as error:
            self._cut(_syntax_problem(error, self._source_lines))
        except _Unusable as error:
            self._cut(error.problem)
        return self._document

    def _cut(self, problem: Problem) -> None:
        self._document.cut = True
        self._document.problems.append(problem)

    def _read_all(self) -> None:
        events = self._events
        next(events)  # the stream's start
        first = next(events)
        if isinstance(first, yaml.StreamEndEvent):
            self._cut(Problem(1, "the file is empty; start it with 'tenant: …' and 'links:' or 'scripts:'"))
            return
        self._document.data = self._value(next(events), ())
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Unusable(after, "a second document starts here; put it in another file")

    def _value(self, event: Any, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise _Unusable(event, "this is nested too deeply; check the brackets")
        if isinstance(event, yaml.AliasEvent):
            raise _Unusable(event, f"aliases such as *{event.anchor} are not allowed; write the value out")
        self._document.lines.setdefault(path, _line(event))
        self._document.columns.setdefault(path, _column(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag:
            self._report(event, f"the tag {event.tag} is not allowed; remove it")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        items: Any = [] if is_list else {}
        self._attach(path, items)
        return self._list(path, items) if is_list else self._mapping(path, items)

    def _attach(self, path: Path, items: Any) -> None:
        """Attach an outer list or mapping before it is complete, so that its items survive a later mistake."""
        data = self._document.data
        if not path:
            self._document.data = items
        elif len(path) == 1 and isinstance(data, dict):
            data.setdefault(str(path[0]), items)

    def _list(self, path: Path, items: list[Any]) -> list[Any]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path, items: dict[str, Any]) -> dict[str, Any]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _Unusable(event, "a key must be a word; check indentation and brackets")
            key = event.value
            if key in items:
                first = self._document.lines[*path, key]
                self._report(event, f"{key} is repeated (first in line {first}); keep one of them")
                self._value(next(self._events), (*path, key, -1))
                continue
            self._document.lines[*path, key] = _line(event)
            self._document.columns[*path, key] = _column(event)
            items[key] = self._value(next(self._events), (*path, key))
        return items

    def _scalar(self, event: Any, path: Path) -> Any:
        self._document.texts.setdefault(path, event.value)
        if event.tag not in (None, "!"):
            self._report(event, f"the tag {event.tag} is not allowed; remove it, and put text in quotes")
        self._look_for_comment(event)
        return _plain_value(event.value) if event.implicit[0] and event.tag is None else event.value

    def _look_for_comment(self, event: Any) -> None:
        """Report text after the value that begins with # and is a comment: `name: Offer #1` is named Offer."""
        end = event.end_mark
        source = "".join(self._source_lines[end.line : end.line + 1])
        lost = None if event.style in ("'", '"', "|", ">") else _TAKEN_FOR_COMMENT.match(source, end.column)
        if lost:
            sentence = (
                f"{lost[1]} is a comment, not part of the value; put the whole value in quotes, or write a blank "
                "after the # of a comment"
            )
            self._document.problems.append(Problem(end.line + 1, sentence, lost.start(1) + 1))

    def _report(self, event: Any, sentence: str) -> None:
        self._document.problems.append(Problem(_line(event), sentence, _column(event)))


def _plain_value(text: str) -> Any:
    """Resolve an unquoted scalar as YAML 1.2's core schema does, without octal, hexadecimal and infinity."""
    word = text if text in _WORDS else text.lower() if text in (text.title(), text.upper()) else text
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _column(event: Any) -> int:
    column: int = event.start_mark.column
    return column + 1
