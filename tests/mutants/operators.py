"""The mutation operators: which small faults one syntax node can have, as source text that replaces the node.

Text that people read (strings, f-strings, log calls), annotations and decorators are not mutated.
"""

import ast
from collections.abc import Iterator

Replacement = tuple[ast.expr | ast.stmt, str]
"""A node and the source text that replaces it."""

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_METHODS = {"startswith": "endswith", "endswith": "startswith", "lower": "upper", "strip": "rstrip", "find": "rfind"}


def replacements(node: ast.AST) -> Iterator[Replacement]:
    """Yield every fault of this node alone, not of those below it."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.BinOp() | ast.UnaryOp() | ast.IfExp():
            for faulty in _operations(node):
                yield node, f"({faulty})"
        case ast.Constant():
            yield from ((node, faulty) for faulty in _constants(node.value))
        case ast.Call():
            yield from _calls(node)
        case ast.comprehension():
            yield from ((test, "True") for test in node.ifs)
        case ast.stmt():
            yield from _statements(node)


def _operations(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op, *others]):
            for faulty in _COMPARISONS[type(op)]:
                yield ast.unparse(ast.Compare(node.left, [faulty(), *others], node.comparators))
        case ast.BoolOp():
            yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield ast.unparse(ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield ast.unparse(node.operand)
        case ast.IfExp():
            yield ast.unparse(ast.IfExp(_negated(node.test), node.body, node.orelse))


def _constants(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield repr(not value)
        case int() | float():
            yield repr(value + 1)
        case bytes():
            yield repr(value + b"!")


def _calls(node: ast.Call) -> Iterator[Replacement]:
    match node.func:
        case ast.Name(id=name) if name in _CALLS:
            yield node.func, _CALLS[name]
        case ast.Attribute(attr=name) if name in _METHODS:
            yield node.func, f"{ast.unparse(node.func.value)}.{_METHODS[name]}"


def _statements(node: ast.stmt) -> Iterator[Replacement]:
    match node:
        case ast.If() if not isinstance(node.test, ast.Compare | ast.UnaryOp):  # those are negated as operations
            yield node.test, ast.unparse(_negated(node.test))
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield node, "return None"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"
        case ast.Expr(value=ast.Call()) | ast.Delete() | ast.AugAssign():
            yield node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "pass"


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)
