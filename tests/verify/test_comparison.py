"""Each fault that the comparison exists for is planted and must be reported."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumer.verify.comparison import Comparison, compare
from consumer.verify.reader import Seen
from consumer.verify.reference_model import Expected, ReferenceModel
from tests.builders import a_click, a_link, an_action
from tests.support.planted import MARK
from tests.verify.sightings import PARTITIONS, all_seen, changed, reordered


@pytest.fixture(scope="module")
def expected() -> list[Expected]:
    model = ReferenceModel([a_link(an_action(slot=0), an_action("SetField", slot=1, rule="always"))])
    for number, recipient in enumerate(["anna", "bo", "anna", "cleo", "anna"]):
        model.click(a_click(number, recipient_id=recipient))
    return model.expected


def found(comparison: Comparison) -> dict[str, int]:
    names = ("missing", "doubled", "unexpected", "differing", "out_of_order")
    return {name: len(getattr(comparison, name)) for name in names if getattr(comparison, name)}


def test_expected_updates_are_exact(expected: list[Expected]) -> None:
    comparison = compare(expected, all_seen(expected))

    assert comparison.is_exact
    assert (comparison.expected, comparison.seen) == (8, 8)


def test_topics_may_have_a_prefix(expected: list[Expected]) -> None:
    assert compare(expected, all_seen(expected, "test."), prefix="test.").is_exact
    assert not compare(expected, all_seen(expected, "test.")).is_exact


def test_order_of_reading_does_not_matter(expected: list[Expected]) -> None:
    assert compare(expected, reversed(all_seen(expected))).is_exact


def test_all_are_missing_if_none_was_seen(expected: list[Expected]) -> None:
    assert compare(expected, []).missing == expected


def test_missing_update_is_reported(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    del seen[3]

    comparison = compare(expected, seen)

    assert found(comparison) == {"missing": 1}
    assert comparison.missing == [expected[3]]
    assert "1 missing" in str(comparison)
    assert expected[3].update_id in str(comparison)


def test_doubled_update_is_reported(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    copy = replace(seen[2], offset=100)

    comparison = compare(expected, [*seen, copy])

    assert found(comparison) == {"doubled": 1}
    assert comparison.doubled == [copy]


def test_unexpected_update_is_reported(expected: list[Expected]) -> None:
    comparison = compare(expected[:-1], all_seen(expected))

    assert found(comparison) == {"unexpected": 1}


def test_update_in_the_wrong_topic_is_missing_and_unexpected(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    seen[0] = replace(seen[0], topic="crm-updates.membership.v1")

    assert found(compare(expected, seen)) == {"missing": 1, "unexpected": 1}


def test_wrong_order_within_a_recipient_is_reported(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    anna = [index for index, each in enumerate(seen) if each.key == b"acme/anna" and "set-field" in each.topic]
    order = list(range(len(seen)))
    order[anna[0]], order[anna[1]] = anna[1], anna[0]

    comparison = compare(expected, reordered(seen, order))

    assert found(comparison) == {"out_of_order": 1}
    assert comparison.out_of_order[0].key == b"acme/anna"
    assert comparison.out_of_order[0].expected[:2] == comparison.out_of_order[0].seen[1::-1]


def test_recipients_may_be_in_any_order(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    by_recipient = sorted(range(len(seen)), key=lambda index: (seen[index].key or b"", index))

    assert compare(expected, reordered(seen, by_recipient)).is_exact


def _another_partition(seen: Seen) -> Seen:
    return replace(seen, partition=(seen.partition + 1) % PARTITIONS)


def _without(header: str) -> Callable[[Seen], Seen]:
    return lambda seen: replace(seen, headers=[pair for pair in seen.headers if pair[0] != header])


def _with(header: str, value: bytes) -> Callable[[Seen], Seen]:
    return lambda seen: replace(seen, headers=[*seen.headers, (header, value)])


def _with_field(name: str, value: Any) -> Callable[[Seen], Seen]:
    return lambda seen: changed(seen, lambda record: record | {name: value})


@pytest.mark.parametrize(
    ("plant", "difference"),
    [
        pytest.param(_another_partition, "the partition is", id="misrouted"),
        pytest.param(lambda seen: replace(seen, key=b"acme/bob"), "the key is b'acme/bob'", id="another key"),
        pytest.param(lambda seen: replace(seen, key=None), "the key is None", id="no key"),
        pytest.param(_without("ce_source"), "the headers are", id="a header missing"),
        pytest.param(_with("ce_time", b"1"), "the headers are", id="a header too many"),
        pytest.param(_with("ce_specversion", b"1.0"), "the headers are", id="a header twice"),
        pytest.param(_with_field("interest", "sports"), "interest is 'sports', not 'news'", id="own field changed"),
        pytest.param(_with_field("clicked_at", 1), "clicked_at is 1, not", id="shared field changed"),
        pytest.param(_with_field("person_id", None), f"person_id is None, not '{MARK}-person'", id="field lost"),
        pytest.param(_with_field("epoch", 5), "epoch is 5, not 0", id="epoch changed"),
        pytest.param(lambda seen: replace(seen, value=None), "there is no value", id="no value"),
        pytest.param(lambda seen: replace(seen, value=(seen.value or b"") + b"!"), "bytes follow", id="trailing byte"),
        pytest.param(lambda seen: replace(seen, value=(seen.value or b"")[:-1]), "the body is not", id="cut off"),
        pytest.param(lambda seen: replace(seen, value=b"\xc3\x01" + bytes(20)), "the header", id="another schema"),
    ],
)
def test_differing_update_is_reported_with_its_differences(
    expected: list[Expected], plant: Callable[[Seen], Seen], difference: str
) -> None:
    seen = all_seen(expected)
    seen[0] = plant(seen[0])

    comparison = compare(expected, seen)

    assert found(comparison) == {"differing": 1}
    assert comparison.differing[0].expected == expected[0]
    assert difference in "; ".join(comparison.differing[0].differences)


def test_wrong_update_id_is_one_missing_and_one_unexpected(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    seen[0] = changed(seen[0], lambda record: record | {"update_id": "00000000-0000-5000-8000-000000000000"})

    assert found(compare(expected, seen)) == {"missing": 1, "unexpected": 1}


def test_two_updates_expected_with_one_id_are_both_required() -> None:
    model = ReferenceModel([a_link(an_action())], retention_ms=1000)
    for number in range(2):
        model.click(a_click(number, clicked_at=a_click()["clicked_at"] + number * 1001))
    first, second = all_seen(model.expected)

    assert first.headers == second.headers
    assert compare(model.expected, [first, second]).is_exact
    assert found(compare(model.expected, [first])) == {"missing": 1}
    assert found(compare(model.expected, [first, replace(first, offset=1)])) == {"differing": 1}
    assert found(compare(model.expected, [replace(first, offset=1), replace(second, offset=0)])) == {"out_of_order": 1}
