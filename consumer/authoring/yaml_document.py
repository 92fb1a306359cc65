"""A YAML file as plain values that remember their lines.

The subset is small on purpose: YAML 1.2's plain values (so `no` is a word and 12:30 is not a number), no aliases (a
few of them can stand for gigabytes), no tags, one document. Whatever is wrong is told, not raised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

MAX_DEPTH = 20
"""Deeper than any link file, and far from what the stack can bear."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that makes no sense as YAML, at a line counted from 1."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Document:
    """`data` holds dict, list, str, int, float, bool and None; `lines` and `texts` tell of the value at a path.

    `texts` has scalars as they are written. Where the file is no YAML at all, `data` is None and `problems` says why.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Unusable(Exception):
    """Stops the reading of a file at its first unbearable spot."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.problem = Problem(line, sentence)


def read_document(content: bytes) -> Document:
    """Read the content of one file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Document(problems=[Problem(line, "this is not UTF-8 text; save the file as UTF-8")])
    try:
        return _Reader(text).read()
    except yaml.reader.ReaderError as error:
        return Document(problems=[_character_problem(error, text)])
    except yaml.MarkedYAMLError as error:
        return Document(problems=[_syntax_problem(error, text)])
    except _Unusable as error:
        return Document(problems=[error.problem])


def _character_problem(error: yaml.reader.ReaderError, text: str) -> Problem:
    character = error.character if isinstance(error.character, str) else chr(error.character)
    line = text.count("\n", 0, text.find(character)) + 1
    return Problem(line, f"the character {character!a} cannot stand in YAML; remove it")


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    source = "".join(text.splitlines()[number : number + 1])
    indented_with_tab = "\t" in source[: len(source) - len(source.lstrip())]
    what = " ".join(part for part in (error.context, error.problem) if part)
    hint = "indent with blanks, not with tabs" if indented_with_tab else "check indentation, colons and quotes"
    return Problem(number + 1, f"this is no YAML ({what}); {hint}")


class _Reader:
    """Builds values from the parser's events, which come without recursion and with their lines."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._document = Document()

    def read(self) -> Document:
        events = self._events
        next(events)  # the stream's start
        first = next(events)
        if isinstance(first, yaml.StreamEndEvent):
            return Document(problems=[Problem(1, "the file is empty; start it with 'tenant: …' and 'links:'")])
        data = self._value(next(events), ())
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Unusable(_line(after), "a second document starts here; put it into a file of its own")
        return Document(data, self._document.lines, self._document.texts, self._document.problems)

    def _value(self, event: Any, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise _Unusable(_line(event), "this is nested too deeply for a link file; check the brackets")
        if isinstance(event, yaml.AliasEvent):
            raise _Unusable(_line(event), f"aliases such as *{event.anchor} are not read here; write the value out")
        self._document.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag:
            self._tell(event, f"the tag {event.tag} is not read here; remove it")
        return self._list(path) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(path)

    def _list(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _Unusable(_line(event), "a key must be a word; check indentation and brackets")
            key = event.value
            if key in items:
                first = self._document.lines[*path, key]
                self._tell(event, f"{key} stands here for the second time (first in line {first}); keep one of them")
                self._value(next(self._events), (*path, key, -1))
                continue
            self._document.lines[*path, key] = _line(event)
            items[key] = self._value(next(self._events), (*path, key))
        return items

    def _scalar(self, event: Any, path: Path) -> Any:
        self._document.texts.setdefault(path, event.value)
        if event.tag not in (None, "!"):
            self._tell(event, f"the tag {event.tag} is not read here; remove it, and put a text into quotes")
        return _plain_value(event.value) if event.implicit[0] and event.tag is None else event.value

    def _tell(self, event: Any, sentence: str) -> None:
        self._document.problems.append(Problem(_line(event), sentence))


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
