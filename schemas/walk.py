"""Checks Avro bytes of any legal schema without decoding them; the reference for which bytes are valid."""

from typing import Any

from schemas.bad_record import BadRecord, Reason

_SIZES = {"float": 4, "double": 8}
_BITS_32 = 2**31


class Walk:
    """A cursor that checks every bound. All methods raise BadRecord, which names the field, and nothing else."""

    def __init__(self, value: bytes, start: int = 0) -> None:
        self._value = value
        self.position = start

    def number(self, name: str) -> int:
        """Read a zigzag varint of at most 64 bits, in as few bytes as it takes."""
        raw = shift = 0
        while True:
            byte = self._byte(name)
            raw |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= 70:
                raise BadRecord(Reason.MALFORMED, f"the number in {name} does not end")
        if raw >= 2**64 or (shift > 7 and byte == 0):
            raise BadRecord(Reason.MALFORMED, f"the number in {name} is not encoded as Avro does")
        return (raw >> 1) ^ -(raw & 1)

    def short_number(self, name: str) -> int:
        """Read a number of 32 bits."""
        number = self.number(name)
        if not -_BITS_32 <= number < _BITS_32:
            raise BadRecord(Reason.MALFORMED, f"{name} does not fit 32 bits")
        return number

    def index(self, name: str, count: int, what: str = "union index") -> int:
        """Read the index of a branch or symbol, below `count`."""
        index = self.number(name)
        if not 0 <= index < count:
            raise BadRecord(Reason.MALFORMED, f"the {what} of {name} is {index}")
        return index

    def boolean(self, name: str) -> int:
        """Read 0 or 1."""
        byte = self._byte(name)
        if byte > 1:
            raise BadRecord(Reason.MALFORMED, f"{name} is neither true nor false")
        return byte

    def bytes_(self, name: str) -> bytes:
        """Read a length and as many bytes."""
        length = self.number(name)
        if length < 0:
            raise BadRecord(Reason.MALFORMED, f"the length of {name} is negative")
        return self._take(length, name)

    def text(self, name: str) -> bytes:
        """Read a text and return it as UTF-8."""
        text = self.bytes_(name)
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise BadRecord(Reason.INVALID_UTF8, f"{name} is not UTF-8") from error
        return text

    def skip(self, form: Any, name: str) -> None:
        """Skip a value of this schema, which must be safe, in its canonical form and spelt out."""
        if isinstance(form, list):
            self.skip(form[self.index(name, len(form))], name)
        elif isinstance(form, str):
            self._skip_primitive(form, name)
        else:
            self._skip_complex(form, name)

    def end(self) -> None:
        """Check that no bytes are left."""
        left = len(self._value) - self.position
        if left:
            raise BadRecord(Reason.TRAILING_BYTES, f"{left} bytes follow the record")

    def _skip_primitive(self, kind: str, name: str) -> None:
        match kind:
            case "null":
                pass
            case "boolean":
                self.boolean(name)
            case "int":
                self.short_number(name)
            case "long":
                self.number(name)
            case "bytes":
                self.bytes_(name)
            case "string":
                self.text(name)
            case _:
                self._take(_SIZES[kind], name)

    def _skip_complex(self, form: dict[str, Any], name: str) -> None:
        match form["type"]:
            case "record":
                for field in form["fields"]:
                    self.skip(field["type"], field["name"])
            case "enum":
                self.index(name, len(form["symbols"]), "symbol")
            case "fixed":
                self._take(form["size"], name)
            case "array" | "map":
                self._skip_blocks(form, name)

    def _skip_blocks(self, form: dict[str, Any], name: str) -> None:
        """Skip blocks of items up to the empty block; a negative count is followed by the block's size in bytes."""
        while count := self.number(name):
            size = self.number(name) if count < 0 else None
            start = self.position
            for _ in range(abs(count)):
                if form["type"] == "map":
                    self.text(name)
                self.skip(form.get("items", form.get("values")), name)
            if size is not None and self.position - start != size:
                raise BadRecord(Reason.MALFORMED, f"a block of {name} does not have the size that it states")

    def _byte(self, name: str) -> int:
        if self.position >= len(self._value):
            raise BadRecord(Reason.TRUNCATED, f"the value ends before or inside {name}")
        self.position += 1
        return self._value[self.position - 1]

    def _take(self, size: int, name: str) -> bytes:
        taken = self._value[self.position : self.position + size]
        if len(taken) < size:
            raise BadRecord(Reason.TRUNCATED, f"the value ends inside {name}")
        self.position += size
        return taken
