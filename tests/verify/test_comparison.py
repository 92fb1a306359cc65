"""Each bug that the judge exists for is planted, and must be named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumer.verify.comparison import Comparison, judge
from consumer.verify.reader import Seen
from consumer.verify.reference_model import Expected, ReferenceModel
from tests.builders import a_click, a_link, an_action
from tests.support.planted import MARK
from tests.verify.sightings import PARTITIONS, all_seen, at, changed


@pytest.fixture(scope="module")
def expected() -> list[Expected]:
    model = ReferenceModel([a_link(an_action(slot=0), an_action("SetField", slot=1, rule="always"))])
    for number, recipient in enumerate(["anna", "bo", "anna", "cleo", "anna"]):
        model.click(a_click(number, recipient_id=recipient))
    return model.expected


def found(verdict: Comparison) -> dict[str, int]:
    names = ("missing", "doubled", "unexpected", "differing", "out_of_order")
    return {name: len(getattr(verdict, name)) for name in names if getattr(verdict, name)}


def test_what_is_as_it_must_be_is_exact(expected: list[Expected]) -> None:
    verdict = judge(expected, all_seen(expected))

    assert verdict.is_exact
    assert (verdict.expected, verdict.seen) == (8, 8)


def test_topics_may_have_a_prefix(expected: list[Expected]) -> None:
    assert judge(expected, all_seen(expected, "test."), prefix="test.").is_exact
    assert not judge(expected, all_seen(expected, "test.")).is_exact


def test_the_order_in_which_topics_were_read_is_no_matter(expected: list[Expected]) -> None:
    assert judge(expected, reversed(all_seen(expected))).is_exact


def test_nothing_at_all_is_everything_missing(expected: list[Expected]) -> None:
    assert judge(expected, []).missing == expected


def test_a_missing_update_is_named(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    del seen[3]

    verdict = judge(expected, seen)

    assert found(verdict) == {"missing": 1}
    assert verdict.missing == [expected[3]]
    assert "1 missing" in str(verdict)
    assert expected[3].update_id in str(verdict)


def test_a_doubled_update_is_named(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    copy = replace(seen[2], offset=100)

    verdict = judge(expected, [*seen, copy])

    assert found(verdict) == {"doubled": 1}
    assert verdict.doubled == [copy]


def test_an_update_that_nobody_expects_is_named(expected: list[Expected]) -> None:
    verdict = judge(expected[:-1], all_seen(expected))

    assert found(verdict) == {"unexpected": 1}


def test_an_update_in_the_topic_of_another_kind_is_missing_here_and_unexpected_there(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    seen[0] = replace(seen[0], topic="crm-updates.membership.v1")

    assert found(judge(expected, seen)) == {"missing": 1, "unexpected": 1}


def test_updates_of_one_recipient_in_another_order_are_named(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    anna = [place for place, each in enumerate(seen) if each.key == b"acme/anna" and "set-field" in each.topic]
    order = list(range(len(seen)))
    order[anna[0]], order[anna[1]] = anna[1], anna[0]

    verdict = judge(expected, at(seen, order))

    assert found(verdict) == {"out_of_order": 1}
    assert verdict.out_of_order[0].key == b"acme/anna"
    assert verdict.out_of_order[0].expected[:2] == verdict.out_of_order[0].seen[1::-1]


def test_updates_of_different_recipients_may_be_in_any_order(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    by_recipient = sorted(range(len(seen)), key=lambda place: (seen[place].key or b"", place))

    assert judge(expected, at(seen, by_recipient)).is_exact


def _another_partition(seen: Seen) -> Seen:
    return replace(seen, partition=(seen.partition + 1) % PARTITIONS)


def _without(header: str) -> Callable[[Seen], Seen]:
    return lambda seen: replace(seen, headers=[pair for pair in seen.headers if pair[0] != header])


def _with(header: str, value: bytes) -> Callable[[Seen], Seen]:
    return lambda seen: replace(seen, headers=[*seen.headers, (header, value)])


def _with_field(name: str, value: Any) -> Callable[[Seen], Seen]:
    return lambda seen: changed(seen, lambda record: record | {name: value})


@pytest.mark.parametrize(
    ("plant", "told"),
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
        pytest.param(lambda seen: replace(seen, value=(seen.value or b"")[:-1]), "the body is no", id="cut off"),
        pytest.param(lambda seen: replace(seen, value=b"\xc3\x01" + bytes(20)), "the frame", id="another schema"),
    ],
)
def test_an_update_that_is_not_as_it_must_be_is_named_with_what_differs(
    expected: list[Expected], plant: Callable[[Seen], Seen], told: str
) -> None:
    seen = all_seen(expected)
    seen[0] = plant(seen[0])

    verdict = judge(expected, seen)

    assert found(verdict) == {"differing": 1}
    assert verdict.differing[0].expected == expected[0]
    assert told in "; ".join(verdict.differing[0].differences)


def test_a_wrong_update_id_is_one_missing_and_one_unexpected(expected: list[Expected]) -> None:
    seen = all_seen(expected)
    seen[0] = changed(seen[0], lambda record: record | {"update_id": "00000000-0000-5000-8000-000000000000"})

    assert found(judge(expected, seen)) == {"missing": 1, "unexpected": 1}


def test_two_that_are_expected_with_the_same_id_are_each_looked_for() -> None:
    model = ReferenceModel([a_link(an_action())], retention_ms=1000)
    for number in range(2):
        model.click(a_click(number, clicked_at=a_click()["clicked_at"] + number * 1001))
    first, second = all_seen(model.expected)

    assert first.headers == second.headers
    assert judge(model.expected, [first, second]).is_exact
    assert found(judge(model.expected, [first])) == {"missing": 1}
    assert found(judge(model.expected, [first, replace(first, offset=1)])) == {"differing": 1}
    assert found(judge(model.expected, [replace(first, offset=1), replace(second, offset=0)])) == {"out_of_order": 1}
