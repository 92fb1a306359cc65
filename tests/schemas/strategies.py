"""Values of any schema, and bytes that are nearly right."""

from typing import Any

from hypothesis import strategies as st

from tests.click_parts import text, varint

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


def encodings(form: Any) -> st.SearchStrategy[bytes]:
    """Return a strategy for the bytes of a schema spelt out, among them such as fastavro never writes."""
    if isinstance(form, list):
        branches = [st.tuples(st.just(varint(n)), encodings(branch)) for n, branch in enumerate(form)]
        return st.one_of(branches).map(b"".join)
    if isinstance(form, str):
        return _ENCODED_PRIMITIVES[form]
    match form["type"]:
        case "record":
            return st.tuples(*(encodings(field["type"]) for field in form["fields"])).map(b"".join)
        case "enum":
            return st.integers(0, len(form["symbols"]) - 1).map(varint)
        case "fixed":
            return st.binary(min_size=form["size"], max_size=form["size"])
        case "map":
            items = st.tuples(_ENCODED_PRIMITIVES["string"], encodings(form["values"])).map(b"".join)
        case _:
            items = encodings(form["items"])
    return st.lists(st.tuples(st.lists(items, min_size=1, max_size=2), st.booleans()), max_size=2).map(_blocks)


def _blocks(blocks: list[tuple[list[bytes], bool]]) -> bytes:
    """Write items block by block, some of them with the block's size, as Java's blocking encoder does."""
    encoded = b""
    for items, sized in blocks:
        body = b"".join(items)
        encoded += varint(-len(items)) + varint(len(body)) + body if sized else varint(len(items)) + body
    return encoded + varint(0)


_ENCODED_PRIMITIVES: dict[str, st.SearchStrategy[bytes]] = {
    "null": st.just(b""),
    "boolean": st.sampled_from([b"\0", b"\1"]),
    "int": st.integers(-(2**31), 2**31 - 1).map(varint),
    "long": st.integers(-(2**63), 2**63 - 1).map(varint),
    "float": st.binary(min_size=4, max_size=4),
    "double": st.binary(min_size=8, max_size=8),
    "bytes": st.binary(max_size=5).map(text),
    "string": st.text(max_size=5).map(str.encode).map(text),
}


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
