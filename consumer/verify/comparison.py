"""Compares the expected updates with those that were seen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from consumer.verify.murmur import partition_of
from consumer.verify.reader import NotReadable, Seen, decode_update
from consumer.verify.reference_model import Expected

_Identity = tuple[str, str]
"""Topic without its prefix, and update id."""


@dataclass(frozen=True)
class _Copy:
    """A record that was seen, with its update or the reason why it cannot be decoded."""

    seen: Seen
    record: dict[str, Any]
    problem: str | None = None

    def identity(self, prefix: str) -> _Identity:
        """Return topic and update id; if the value cannot be decoded, the id in the header."""
        header_id = dict(self.seen.headers).get("ce_id", b"").decode(errors="replace")
        return self.seen.topic.removeprefix(prefix), str(self.record.get("update_id", header_id))


@dataclass(frozen=True)
class Differing:
    """An update that was seen but is wrong; `differences` has a sentence for each difference."""

    expected: Expected
    seen: Seen
    differences: list[str]


@dataclass(frozen=True)
class OutOfOrder:
    """Updates of one recipient in one topic in another order than the clicks; the ids in both orders."""

    topic: str
    key: bytes
    expected: list[str]
    seen: list[str]


@dataclass(frozen=True)
class Comparison:
    """The result; every list is empty if the updates are exact."""

    expected: int
    seen: int
    missing: list[Expected] = field(default_factory=list)
    doubled: list[Seen] = field(default_factory=list)
    unexpected: list[Seen] = field(default_factory=list)
    differing: list[Differing] = field(default_factory=list)
    out_of_order: list[OutOfOrder] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """True if every expected update was seen once, correct and in order, and nothing else was seen."""
        return not (self.missing or self.doubled or self.unexpected or self.differing or self.out_of_order)

    def __str__(self) -> str:
        counts = (
            f"{self.expected} expected, {self.seen} seen: {len(self.missing)} missing, {len(self.doubled)} doubled, "
            f"{len(self.unexpected)} unexpected, {len(self.differing)} differing, {len(self.out_of_order)} out of order"
        )
        lists: tuple[Sequence[Any], ...] = (
            self.missing,
            self.doubled,
            self.unexpected,
            self.differing,
            self.out_of_order,
        )
        return "\n".join([counts, *(f"  first: {found[0]}" for found in lists if found)])


def compare(expected: Iterable[Expected], seen: Iterable[Seen], *, prefix: str = "") -> Comparison:
    """Compare records, keys, headers and partitions; `prefix` precedes the names of the topics in `seen`.

    `expected` must have each recipient's updates in order; `seen` may be in any order, as offsets tell theirs.
    Partitions are checked if `seen` has the number of partitions.
    """
    wanted, copies = list(expected), [_read(each) for each in seen]
    copies.sort(key=lambda copy: (copy.seen.topic, copy.seen.partition, copy.seen.offset))
    comparison = Comparison(len(wanted), len(copies))
    expected_at: dict[_Identity, list[int]] = defaultdict(list)
    for index, each in enumerate(wanted):
        expected_at[each.topic, each.update_id].append(index)
    copies_of: dict[_Identity, list[_Copy]] = {identity: [] for identity in expected_at}
    for copy in copies:
        copies_of.setdefault(copy.identity(prefix), []).append(copy)
    matched: list[tuple[int, Seen]] = []
    for identity, mine in copies_of.items():
        matched += _match(wanted, expected_at.get(identity, []), mine, comparison)
    comparison.out_of_order.extend(_out_of_order(wanted, matched))
    return comparison


def _read(seen: Seen) -> _Copy:
    try:
        return _Copy(seen, decode_update(seen))
    except NotReadable as error:
        return _Copy(seen, {}, str(error))


def _match(
    wanted: Sequence[Expected], indexes: Sequence[int], copies: Sequence[_Copy], comparison: Comparison
) -> list[tuple[int, Seen]]:
    """Pair the expected and seen updates of one identity: equal ones first, then the rest; record what stays unpaired.

    Several may be expected with the same id: an action applies again after its dedupe entry has expired.
    """
    matched: list[tuple[int, Seen]] = []
    left_indexes, left_copies = list(indexes), []
    for copy in copies:
        equal = next((index for index in left_indexes if not _differences(wanted[index], copy)), None)
        if equal is None:
            left_copies.append(copy)
        else:
            left_indexes.remove(equal)
            matched.append((equal, copy.seen))
    for index, copy in zip(left_indexes, left_copies, strict=False):
        comparison.differing.append(Differing(wanted[index], copy.seen, _differences(wanted[index], copy)))
        matched.append((index, copy.seen))
    comparison.missing.extend(wanted[index] for index in left_indexes[len(left_copies) :])
    surplus = [copy.seen for copy in left_copies[len(left_indexes) :]]
    (comparison.doubled if indexes else comparison.unexpected).extend(surplus)
    return matched


def _differences(expected: Expected, copy: _Copy) -> list[str]:
    """Return a sentence for each difference of the seen update."""
    seen, record = copy.seen, copy.record
    if copy.problem is not None:
        found = [copy.problem]
    else:
        names = [name for name in expected.record | record if expected.record.get(name) != record.get(name)]
        found = [f"{name} is {record.get(name)!r}, not {expected.record.get(name)!r}" for name in names]
    if seen.key != expected.key:
        found.append(f"the key is {seen.key!r}, not {expected.key!r}")
    headers = _headers(expected)
    if sorted(seen.headers) != sorted(headers):
        found.append(f"the headers are {seen.headers}, not {headers}")
    correct = None if seen.partitions is None else partition_of(expected.key, seen.partitions)
    if correct is not None and seen.partition != correct:
        found.append(f"the partition is {seen.partition}, not {correct}")
    return found


def _headers(expected: Expected) -> list[tuple[str, bytes]]:
    """Return the headers of CloudEvents 1.0 in binary mode."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", expected.update_id.encode()),
        ("ce_type", expected.topic.encode()),
        ("ce_source", f"/link-actions/{expected.record['tenant_id']}".encode()),
        ("content-type", b"application/avro"),
    ]


def _out_of_order(wanted: Sequence[Expected], matched: Iterable[tuple[int, Seen]]) -> list[OutOfOrder]:
    by_key: dict[tuple[str, bytes], list[tuple[int, Seen]]] = defaultdict(list)
    for index, seen in matched:
        by_key[wanted[index].topic, wanted[index].key].append((index, seen))
    found = []
    for (topic, key), pairs in sorted(by_key.items()):
        by_offset = [index for index, seen in sorted(pairs, key=lambda pair: (pair[1].partition, pair[1].offset))]
        if by_offset != sorted(by_offset):
            ids = ([wanted[index].update_id for index in order] for order in (sorted(by_offset), by_offset))
            found.append(OutOfOrder(topic, key, *ids))
    return found
