"""Every way a click can be bad, and what must become of it: one dead letter with the right reason.

Among them are records that only look bad; those must be treated like any other. All are on the link `LINK`, each by a
different recipient, so that the whole list can go through one topic, with good clicks before and after each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.builders import NOON, Record, a_click, a_link, an_action
from tests.click_parts import Parts, click_bytes, click_frame, click_parts, text, varint

LINK = a_link(an_action("SetField"), link_id="corpus")
"""Must be published before the clicks."""

MAX_CLICK_BYTES = 65_536
"""The worker's limit, in bytes."""

OPTIONAL_IDS = ("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")
BLANKS = {"empty": "", "only blanks": " \t\r\n "}

OPTIONAL = ("company_id", "mailing_id", "link_version", "url", "http_method", "user_agent", "network", "delivered_at")
"""Fields that a click may leave open and that the usual one does not."""


@dataclass(frozen=True)
class BadRecordCase:
    """A record, and what must become of it.

    `reason` is that of its dead letter; None where there is to be none, and then `outcome` counts it, and `click` is
    what is in it. `key` is the record's own, right or wrong; the record is to be written to the partition of its
    identity (murmur2 of `right_key`), or to another one where it is `misplaced`.
    """

    name: str
    value: bytes | None
    key: bytes | None
    right_key: bytes
    reason: str | None = None
    outcome: str = "dead_lettered"
    click: Record | None = None
    misplaced: bool = False


def bad_records() -> list[BadRecordCase]:
    """Return all cases, in a fixed order."""
    numbers = count()
    return [
        case
        for cases in (_no_click, _frames, _sizes, _truncations, _numbers, _texts, _identities, _times, _versions)
        for case in cases(lambda: next(numbers))
    ] + list(_only_odd(lambda: next(numbers)))


Numbers = Callable[[], int]


def _good(numbers: Numbers, **changes: object) -> Record:
    """A click that would be applied if nothing were wrong with it."""
    number = numbers()
    return a_click(10_000 + number, link_id="corpus", recipient_id=f"odd-{number}", link_version=1) | changes


def _key(click: Record) -> bytes:
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()


def _bad(name: str, reason: str, value: bytes | None, numbers: Numbers) -> BadRecordCase:
    key = _key(_good(numbers))
    return BadRecordCase(name, value, key, key, reason)


def _changed(name: str, reason: str, parts: Parts, numbers: Numbers) -> BadRecordCase:
    """A good click with these parts replaced."""
    click = _good(numbers)
    return BadRecordCase(name, click_bytes(click, **parts), _key(click), _key(click), reason)


def _says(name: str, reason: str, click: Record) -> BadRecordCase:
    """A click that is encoded well and says what no click can say."""
    return BadRecordCase(name, click_bytes(click), _key(click), _key(click), reason)


def _sized(click: Record, size: int) -> Record:
    """The click, padded to this size by its browser."""
    rest = len(click_bytes(click | {"user_agent": ""}))
    return click | {"user_agent": "x" * (size - rest - 2)}


def _no_click(numbers: Numbers) -> Iterator[BadRecordCase]:
    body = click_bytes(_good(numbers), frame=b"")
    yield _bad("null value", "null_value", None, numbers)
    yield _bad("empty value", "empty_value", b"", numbers)
    yield _bad("JSON", "unknown_frame", b'{"tenant_id": "acme", "link_id": "corpus"}', numbers)
    yield _bad("plain text", "unknown_frame", b"hello", numbers)
    yield _bad("a line break", "unknown_frame", b"\n", numbers)
    yield _bad("gzip", "unknown_frame", b"\x1f\x8b\x08\x00" + bytes(20), numbers)
    yield _bad("Avro object container file", "unknown_frame", b"Obj\x01" + bytes(60), numbers)
    yield _bad("protocol buffers", "unknown_frame", b"\x0a\x04acme\x12\x06corpus", numbers)
    yield _bad("body without a frame", "unknown_frame", body, numbers)
    key = _key(_good(numbers))
    yield BadRecordCase("no value and no key", None, None, key, "null_value")
    yield BadRecordCase("garbage with a key of garbage", b"\xde\xad", b"\xff\x00/", key, "unknown_frame")
    yield BadRecordCase("empty value with an empty key", b"", b"", _key(_good(numbers)), "empty_value")


def _frames(numbers: Numbers) -> Iterator[BadRecordCase]:
    frame = click_frame()
    other = Codec(load_schemas()["SetField"]).frame
    recursive = {"type": "record", "name": "LinkClicked", "fields": [{"name": "next", "type": ["null", "LinkClicked"]}]}
    yield _changed("wrong second byte of the marker", "unknown_frame", {"frame": b"\xc3\x02" + frame[2:]}, numbers)
    yield _changed("marker turned round", "unknown_frame", {"frame": b"\x01\xc3" + frame[2:]}, numbers)
    yield _bad("first byte of the marker only", "truncated", frame[:1], numbers)
    yield _bad("marker only", "truncated", frame[:2], numbers)
    yield _bad("frame cut off", "truncated", frame[:9], numbers)
    yield _bad("frame only", "truncated", frame, numbers)
    yield _bad("magic byte of a registry only", "truncated", b"\x00", numbers)
    yield _bad("registry id cut off", "truncated", b"\x00\x00\x00\x01", numbers)
    yield _changed("unknown registry id", "unknown_schema", {"frame": b"\x00\xff\xff\xff\xff"}, numbers)
    yield _bad("registry frame only", "unknown_schema", b"\x00\x7f\xff\xff\xff", numbers)
    yield _changed("unknown fingerprint", "unknown_schema", {"frame": b"\xc3\x01" + bytes(8)}, numbers)
    yield _changed("fingerprint of another record", "unknown_schema", {"frame": other}, numbers)
    yield _changed("fingerprint in network order", "unknown_schema", {"frame": frame[:2] + frame[:1:-1]}, numbers)
    yield _changed(
        "fingerprint off by one bit", "unknown_schema", {"frame": frame[:9] + bytes([frame[9] ^ 1])}, numbers
    )
    yield _bad("recursive schema", "unknown_schema", _frame_of(recursive) + b"\x02" * 5_000, numbers)
    items = {"type": "array", "items": "null"}
    bomb = {"type": "record", "name": "LinkClicked", "fields": [{"name": "bomb", "type": items}]}
    yield _bad("array of nothing, fifty million times", "unknown_schema", _frame_of(bomb) + varint(50_000_000), numbers)


def _frame_of(schema: Record) -> bytes:
    """Return the frame of a schema that is too dangerous to be loaded."""
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def _sizes(numbers: Numbers) -> Iterator[BadRecordCase]:
    yield _bad("a megabyte of 0xFF", "too_large", b"\xff" * 999_000, numbers)
    yield _says("one byte too large", "too_large", _sized(_good(numbers), MAX_CLICK_BYTES + 1))
    yield _bad("0xFF up to the limit", "unknown_frame", b"\xff" * MAX_CLICK_BYTES, numbers)
    yield _bad("frame and 0xFF up to the limit", "malformed", click_frame().ljust(MAX_CLICK_BYTES, b"\xff"), numbers)
    yield _bad("frame and 0x80 up to the limit", "malformed", click_frame().ljust(MAX_CLICK_BYTES, b"\x80"), numbers)
    yield _bad(
        "frame and noughts up to the limit", "trailing_bytes", click_frame().ljust(MAX_CLICK_BYTES, b"\0"), numbers
    )
    yield _bad("frame and a nought for each field", "identity_missing", click_frame() + bytes(25), numbers)


def _truncations(numbers: Numbers) -> Iterator[BadRecordCase]:
    names = list(click_parts(_good(numbers)))
    for index, name in enumerate(names[1:-1], start=2):
        parts = click_parts(_good(numbers))
        yield _bad(f"cut off after {name}", "truncated", b"".join(list(parts.values())[:index]), numbers)
    whole = click_bytes(_good(numbers))
    yield _bad("last byte missing", "truncated", whole[:-1], numbers)
    yield _bad("cut off inside the identity", "truncated", whole[:18], numbers)
    yield _bad("one byte after the click", "trailing_bytes", whole + b"\x00", numbers)
    yield _bad("line break after the click", "trailing_bytes", whole + b"\n", numbers)
    yield _bad("the click twice", "trailing_bytes", whole * 2, numbers)
    yield _changed("a text that is said to be longer than the click", "truncated", {"link_id": varint(2**40)}, numbers)
    yield _changed("a text as long as can be said", "truncated", {"link_id": varint(2**63 - 1)}, numbers)


def _numbers(numbers: Numbers) -> Iterator[BadRecordCase]:
    for name in ("tenant_id", "recipient_id", "click_id"):
        yield _changed(f"negative length of {name}", "malformed", {name: varint(-4) + b"acme"}, numbers)
    yield _changed("negative length of user_agent", "malformed", {"user_agent": b"\x02" + varint(-1)}, numbers)
    yield _changed("length in more bytes than it takes", "malformed", {"link_id": b"\x8c\x00corpus"}, numbers)
    yield _changed("length that does not end", "malformed", {"link_id": b"\x8c" * 30}, numbers)
    yield _changed("length of 70 bits", "malformed", {"link_id": b"\x80" * 9 + b"\x7f"}, numbers)
    yield _changed("time in more bytes than it takes", "malformed", {"clicked_at": b"\x80" * 5 + b"\x00"}, numbers)
    yield _changed("time of 65 bits", "malformed", {"clicked_at": b"\x80" * 9 + b"\x02"}, numbers)
    yield _changed("time that does not end", "malformed", {"clicked_at": b"\xff" * 11}, numbers)
    for name in ("person_id", "flow_run_id", "link_version", "url", "page_click_id", "fetch_user"):
        yield _changed(f"union index of {name} too large", "malformed", {name: varint(2) + text(b"x")}, numbers)
        yield _changed(f"negative union index of {name}", "malformed", {name: varint(-1) + text(b"x")}, numbers)
    yield _changed("union index in two bytes", "malformed", {"person_id": b"\x82\x00" + text(b"x")}, numbers)
    yield _changed("union index that does not end", "malformed", {"mailing_id": b"\xff" * 12}, numbers)
    yield _changed("neither test nor no test", "malformed", {"test": b"\x02"}, numbers)
    yield _changed("neither confirmed nor not", "malformed", {"confirmed": b"\xff"}, numbers)
    yield _changed("neither replayed nor not", "malformed", {"replayed": b"\x02"}, numbers)
    yield _changed("neither started by a person nor not", "malformed", {"fetch_user": b"\x02\x02"}, numbers)
    yield _changed("more links than 32 bits can count", "malformed", {"link_count": b"\x02" + varint(2**31)}, numbers)


def _texts(numbers: Numbers) -> Iterator[BadRecordCase]:
    for name in ("tenant_id", "link_id", "recipient_id", "click_id"):
        yield _changed(f"{name} is not UTF-8", "invalid_utf8", {name: text(b"ac\xffme")}, numbers)
    for name in ("person_id", "mailing_id", "user_agent", "page_click_id", "network_class"):
        yield _changed(f"{name} is not UTF-8", "invalid_utf8", {name: b"\x02" + text(b"\xe9t\xe9")}, numbers)
    yield _changed("half of a letter", "invalid_utf8", {"recipient_id": text("ä".encode()[:1])}, numbers)
    yield _changed("half of a surrogate pair", "invalid_utf8", {"recipient_id": text(b"\xed\xa0\x80")}, numbers)
    yield _changed("a nought in two bytes", "invalid_utf8", {"recipient_id": text(b"\xc0\x80")}, numbers)
    yield _changed("beyond the last letter", "invalid_utf8", {"recipient_id": text(b"\xf4\x90\x80\x80")}, numbers)


def _identities(numbers: Numbers) -> Iterator[BadRecordCase]:
    for name in ("tenant_id", "link_id", "recipient_id"):
        for word, blank in BLANKS.items():
            yield _says(f"{name} is {word}", "identity_missing", _good(numbers, **{name: blank}))
        yield _says(f"{name} holds U+001F", "identity_invalid", _good(numbers, **{name: "ac\x1fme"}))
    for word, blank in BLANKS.items():
        yield _says(f"click_id is {word}", "click_id_missing", _good(numbers, click_id=blank))
    for name in ("click_id", "mailing_id", "flow_id", "flow_run_id"):
        yield _says(f"{name} holds U+001F", "identity_invalid", _good(numbers, **{name: "\x1f"}))
    yield _says("tenant_id holds a slash", "identity_invalid", _good(numbers, tenant_id="ac/me"))
    yield _says("tenant_id is a slash", "identity_invalid", _good(numbers, tenant_id="/"))


def _times(numbers: Numbers) -> Iterator[BadRecordCase]:
    times = {
        "clicked at nought": 0,
        "clicked before 1970": -NOON,
        "clicked in the last millisecond of 1999": 946_684_799_999,
        "time in seconds": NOON // 1_000,
        "time in microseconds": NOON * 1_000,
        "clicked in the year 2999": 32_472_144_000_000,
        "clicked as late as can be said": 2**63 - 1,
        "clicked as early as can be said": -(2**63),
    }
    for name, clicked_at in times.items():
        yield _says(name, "timestamp_out_of_range", _good(numbers, clicked_at=clicked_at))


def _versions(numbers: Numbers) -> Iterator[BadRecordCase]:
    for version in (2, 2**62, 2**63 - 1):
        yield _says(f"version {version} that nobody defined", "unknown_version", _good(numbers, link_version=version))
    yield _says("version of an undefined link", "unknown_version", _good(numbers, link_id="nobody's"))
    for version in (0, -1, -5, -(2**63)):
        yield _says(f"version {version}", "malformed", _good(numbers, link_version=version))


def _only_odd(numbers: Numbers) -> Iterator[BadRecordCase]:
    """Records that are no dead letters, however odd they look."""
    applied: dict[str, Record] = {
        "recipient outside ASCII": {"recipient_id": "Zoë Ångström 🦊"},
        "recipient with slashes": {"recipient_id": "/a/b//"},
        "recipient with a nought": {"recipient_id": "a\0b"},
        "recipient of one letter": {"recipient_id": "x"},
        "recipient of 200 bytes": {"recipient_id": "y" * 200},
        "recipient of 9,000 bytes": {"recipient_id": "z" * 9_000},
        "person of 9,000 bytes": {"person_id": "z" * 9_000},
        "person with U+001F": {"person_id": "\x1f"},
        "person that begins with a blank": {"person_id": " p-1"},
        "person that is a no-break space": {"person_id": "\xa0"},
        "click id that is no UUID": {"click_id": "ünïqüé"},
        "mailing and company as long as the byte of a separator": {
            "mailing_id": "m" * 1_990,
            "company_id": "c" * 2_040,
        },
        "browser outside ASCII": {"user_agent": "Müller/1.0 \u2028"},
        "first millisecond of 2000": {"clicked_at": 946_684_800_000},
        "nothing but what must be": dict.fromkeys(OPTIONAL),
        "as many links as 32 bits can count": {"link_count": 2**31 - 1},
        "fewer links than none": {"link_count": -(2**31)},
        "button on a page": {"page_click_id": "c-0", "confirmed": True},
        "button on a page with U+001F": {"page_click_id": "\x1f"},
        "network of no known class": {"network_class": "submarine", "fetch_mode": None, "fetch_user": None},
        "replayed": {"replayed": True},
    }
    for name, fields in applied.items():
        yield _odd(name, "applied", _good(numbers, **fields))
    yield _odd("as large as may be", "applied", _sized(_good(numbers), MAX_CLICK_BYTES))
    yield _with_earlier_schema(_good(numbers))
    yield _odd("test click", "test", _good(numbers, test=True))
    yield _odd("test click on an undefined version", "test", _good(numbers, test=True, link_version=99))
    yield _odd("undefined link", "without_actions", _good(numbers, link_id="nobody's", link_version=None))
    yield _odd("unknown tenant", "without_actions", _good(numbers, tenant_id="who", link_version=None))
    yield _odd("plain e-mail address", "not_applicable", _good(numbers, person_id=None))
    for word, blank in BLANKS.items():
        for name in OPTIONAL_IDS:
            outcome = "not_applicable" if name == "person_id" else "applied"
            yield _odd(f"{name} is {word}", outcome, _good(numbers, **{name: blank}))
        yield _odd(f"all that may be absent is {word}", "applied", _good(numbers, **_all_blank(blank)))
    yield from _keys(numbers)


def _with_earlier_schema(click: Record) -> BadRecordCase:
    """A click of an edge that does not know the appended fields."""
    codec = Codec(load_schemas()["LinkClicked"].earlier[0])
    value = codec.encode({field["name"]: click[field["name"]] for field in codec.schema.definition["fields"]})
    return BadRecordCase("earlier schema", value, _key(click), _key(click), None, "applied", click)


def _all_blank(blank: str) -> Record:
    """Every text that a click may leave open but the person, whom the action needs."""
    texts = ("company_id", "mailing_id", "flow_id", "flow_run_id", "url", "http_method", "user_agent", "purpose")
    return dict.fromkeys((*texts, "network", "page_click_id", "fetch_mode", "network_class"), blank)


def _keys(numbers: Numbers) -> Iterator[BadRecordCase]:
    keys: dict[str, bytes | None] = {
        "no key": None,
        "empty key": b"",
        "key of another recipient": b"acme/somebody-else",
        "key of garbage": b"\xff\xfe",
        "key in JSON": b'"acme/odd"',
    }
    for name, key in keys.items():
        yield _odd(f"{name}, in the right partition", "applied", _good(numbers), key=key)
        yield _odd(f"{name}, in another partition", "rerouted", _good(numbers), key=key)
    click = _good(numbers)
    yield _odd("right key, in another partition", "rerouted", click, key=_key(click))
    yield _odd("test click in another partition", "rerouted", _good(numbers, test=True), key=None)


def _odd(name: str, outcome: str, click: Record, *, key: bytes | str | None = "right") -> BadRecordCase:
    right = _key(click)
    return BadRecordCase(
        name,
        click_bytes(click),
        right if isinstance(key, str) else key,
        right,
        outcome=outcome,
        click=click,
        misplaced=outcome == "rerouted",
    )
