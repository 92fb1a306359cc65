"""Expected updates held against those that were seen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from consumer.verify.murmur import partition_of
from consumer.verify.reader import NotReadable, Seen, decode_update
from consumer.verify.reference_model import Expected

_Identity = tuple[str, str]
"""Topic without prefix, and update id."""


@dataclass(frozen=True)
class _Copy:
    """A record that was seen, with the update in it, or what keeps it from being read."""

    seen: Seen
    record: dict[str, Any]
    problem: str | None = None

    def identity(self, prefix: str) -> _Identity:
        """Return topic and update id; where the value cannot be read, the id that the header tells."""
        stated = dict(self.seen.headers).get("ce_id", b"").decode(errors="replace")
        return self.seen.topic.removeprefix(prefix), str(self.record.get("update_id", stated))


@dataclass(frozen=True)
class Differing:
    """An update that is there and not as it must be; `differences` has a sentence for each thing that differs."""

    expected: Expected
    seen: Seen
    differences: list[str]


@dataclass(frozen=True)
class OutOfOrder:
    """Updates of one recipient in one topic whose order is not that of the clicks; ids in both orders."""

    topic: str
    key: bytes
    expected: list[str]
    seen: list[str]


@dataclass(frozen=True)
class Comparison:
    """What was found; the lists are empty where everything is as it must be."""

    expected: int
    seen: int
    missing: list[Expected] = field(default_factory=list)
    doubled: list[Seen] = field(default_factory=list)
    unexpected: list[Seen] = field(default_factory=list)
    differing: list[Differing] = field(default_factory=list)
    out_of_order: list[OutOfOrder] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        """Whether every expected update is there once, as it must be and in order, and nothing else is."""
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


def judge(expected: Iterable[Expected], seen: Iterable[Seen], *, prefix: str = "") -> Comparison:
    """Compare; `prefix` stands before the topics that were seen.

    `expected` must have each recipient's updates in their order; `seen` may come in any, offsets tell. Beside the
    records, keys, headers and partitions are checked, the latter where `seen` tells how many there are.
    """
    wanted, copies = list(expected), [_read(each) for each in seen]
    copies.sort(key=lambda copy: (copy.seen.topic, copy.seen.partition, copy.seen.offset))
    verdict = Comparison(len(wanted), len(copies))
    expected_at: dict[_Identity, list[int]] = defaultdict(list)
    for place, each in enumerate(wanted):
        expected_at[each.topic, each.update_id].append(place)
    copies_of: dict[_Identity, list[_Copy]] = {identity: [] for identity in expected_at}
    for copy in copies:
        copies_of.setdefault(copy.identity(prefix), []).append(copy)
    matched: list[tuple[int, Seen]] = []
    for identity, mine in copies_of.items():
        matched += _match(wanted, expected_at.get(identity, []), mine, verdict)
    verdict.out_of_order.extend(_out_of_order(wanted, matched))
    return verdict


def _read(seen: Seen) -> _Copy:
    try:
        return _Copy(seen, decode_update(seen))
    except NotReadable as error:
        return _Copy(seen, {}, str(error))


def _match(
    wanted: Sequence[Expected], places: Sequence[int], copies: Sequence[_Copy], verdict: Comparison
) -> list[tuple[int, Seen]]:
    """Pair what has the same identity: first what is equal, then what is left; note what finds no partner.

    More than one may be expected with the same id: where memory has expired, an action applies anew.
    """
    matched: list[tuple[int, Seen]] = []
    left_places, left_copies = list(places), []
    for copy in copies:
        equal = next((place for place in left_places if not _differences(wanted[place], copy)), None)
        if equal is None:
            left_copies.append(copy)
        else:
            left_places.remove(equal)
            matched.append((equal, copy.seen))
    for place, copy in zip(left_places, left_copies, strict=False):
        verdict.differing.append(Differing(wanted[place], copy.seen, _differences(wanted[place], copy)))
        matched.append((place, copy.seen))
    verdict.missing.extend(wanted[place] for place in left_places[len(left_copies) :])
    surplus = [copy.seen for copy in left_copies[len(left_places) :]]
    (verdict.doubled if places else verdict.unexpected).extend(surplus)
    return matched


def _differences(expected: Expected, copy: _Copy) -> list[str]:
    """Return a sentence for each thing about the seen update that is not as it must be."""
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
    right = None if seen.partitions is None else partition_of(expected.key, seen.partitions)
    if right is not None and seen.partition != right:
        found.append(f"the partition is {seen.partition}, not {right}")
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
    lanes: dict[tuple[str, bytes], list[tuple[int, Seen]]] = defaultdict(list)
    for place, seen in matched:
        lanes[wanted[place].topic, wanted[place].key].append((place, seen))
    found = []
    for (topic, key), pairs in sorted(lanes.items()):
        by_offset = [place for place, seen in sorted(pairs, key=lambda pair: (pair[1].partition, pair[1].offset))]
        if by_offset != sorted(by_offset):
            ids = ([wanted[place].update_id for place in order] for order in (sorted(by_offset), by_offset))
            found.append(OutOfOrder(topic, key, *ids))
    return found
