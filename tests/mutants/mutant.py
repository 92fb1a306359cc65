"""Mutants: a program file with one small fault."""

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.operators import replacements

_LOGGERS = ("_LOG", "structlog.get_logger()")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: the bytes from `start` to `end` of the file give way to `faulty`. `line` counts from 1."""

    file: str
    line: int
    start: int
    end: int
    faulty: str

    def applied_to(self, source: bytes) -> bytes:
        """Return the file's bytes with the fault."""
        return source[: self.start] + self.faulty.encode() + source[self.end :]

    def lines(self, root: Path) -> tuple[str, str]:
        """Return the first line that changes, without and with the fault, which names the mutant in lists."""
        source = (root / self.file).read_bytes()
        return _line(source, self.line), _line(self.applied_to(source), self.line)

    def diff(self, root: Path) -> str:
        """Return the fault as a unified diff with one line around it."""
        source = (root / self.file).read_bytes()
        before, after = (each.decode().splitlines() for each in (source, self.applied_to(source)))
        changes = difflib.unified_diff(before, after, n=1, lineterm="")
        return "\n".join(list(changes)[2:])


def mutants_of(root: Path, file: str) -> Sequence[Mutant]:
    """Return all mutants of a file, in the order of its lines."""
    source = (root / file).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tree = ast.parse(source)
    initial_values = _initial_values(tree)
    found = {
        Mutant(file, node.lineno, starts[node.lineno - 1] + node.col_offset, _end(starts, node), faulty)
        for each in _mutable(tree)
        for node, faulty in replacements(each)
        if node not in initial_values
    }
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.faulty))


def _mutable(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below, without those that only people, type checkers or the import system read."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield from _mutable(child)


def _initial_values(tree: ast.Module) -> set[ast.stmt]:
    """Return the assignments of constructors: without one, any use of the attribute fails, which is no finding."""
    constructors = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    return {node for each in constructors for node in each.body if isinstance(node, ast.Assign)}


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict"):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=logger))):
            return ast.unparse(logger) in _LOGGERS
        case ast.BinOp(op=ast.BitOr(), right=ast.Constant(value=None)):  # a union of types
            return True
    return False


def _end(starts: Sequence[int], node: ast.expr | ast.stmt) -> int:
    if node.end_lineno is None or node.end_col_offset is None:
        raise ValueError(node)
    return starts[node.end_lineno - 1] + node.end_col_offset


def _line(source: bytes, number: int) -> str:
    return source.splitlines()[number - 1].decode().strip()
