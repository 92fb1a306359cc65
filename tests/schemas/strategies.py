"""Values of any schema, and bytes that are nearly right."""

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

texts = st.text(max_size=20) | st.sampled_from(["x" * 63, "x" * 64, "Zoë" * 30, "y" * 200, "z" * 9_000])
"""Among them such as take one, two and three bytes to tell their length."""

_PRIMITIVES: dict[str, Strategy] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=10),
    "string": texts,
}


def values(schema: Any, named: dict[str, Strategy] | None = None) -> Strategy:
    """Return a strategy for the values of a schema, unions of records as (name, record)."""
    named = {} if named is None else named
    if isinstance(schema, list):
        return st.one_of([_branch(branch, named) for branch in schema])
    if isinstance(schema, str):
        return _PRIMITIVES[schema] if schema in _PRIMITIVES else named[schema]
    strategy = _complex(schema, named)
    if "name" in schema:
        named[schema["name"]] = strategy
    return strategy


def _complex(schema: dict[str, Any], named: dict[str, Strategy]) -> Strategy:
    match schema["type"]:
        case "record":
            return st.fixed_dictionaries({field["name"]: values(field["type"], named) for field in schema["fields"]})
        case "enum":
            return st.sampled_from(schema["symbols"])
        case "array":
            return st.lists(values(schema["items"], named), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=5), values(schema["values"], named), max_size=3)
    return values(schema["type"], named)


def _branch(branch: Any, named: dict[str, Strategy]) -> Strategy:
    strategy = values(branch, named)
    if not (isinstance(branch, dict) and branch["type"] == "record"):
        return strategy
    name = branch["name"] if "." in branch["name"] else f"link_actions.{branch['name']}"
    return st.tuples(st.just(name), strategy)


@st.composite
def spoilt(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes with a few of them changed, taken out, put in or said twice; often past the frame, which is easy."""
    value = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(value)))
        piece = draw(st.sampled_from(_PIECES) | st.binary(min_size=1, max_size=3))
        match draw(st.sampled_from(["change", "insert", "remove", "cut", "repeat"])):
            case "change":
                value[place : place + len(piece)] = piece
            case "insert":
                value[place:place] = piece
            case "remove":
                del value[place : place + draw(st.integers(1, 4))]
            case "cut":
                del value[place:]
            case "repeat":
                value[place:place] = value[max(place - 5, 0) : place]
    return bytes(value)


_PIECES = [
    b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\x1f", b"\x2f", b"\x7f", b"\x80", b"\xff", b"\x80\x00", b"\x82\x00",
    b"\xfe\x01", b"\x80\x01", b"\x80\x80\x01", b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\xff" * 9 + b"\x01",
    b"\x01" * 8, "é".encode(), b"\xed\xa0\x80", b"\xc3\x01",
]  # fmt: skip
