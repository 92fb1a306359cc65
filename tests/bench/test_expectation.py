"""The check of a benchmark's output finds every kind of error."""

import pytest

from bench.expectation import Expectation, WrongOutput, digest, expected_updates
from bench.links import actions_of
from bench.shape import SHAPES, Shape
from bench.workload import Workload

EXPECTED = [digest(b"key", b"value %d" % number, [("ce_id", b"%d" % number)]) for number in range(3)]
FRAME = b"\xc3\x01framed.."


@pytest.mark.parametrize(
    ("seen", "difference"),
    [
        (EXPECTED[:2], "1 of 3 missing, 0 doubled, 0 unexpected"),
        ([*EXPECTED, EXPECTED[0]], "0 of 3 missing, 1 doubled, 0 unexpected"),
        ([*EXPECTED, digest(b"key", b"other", ())], "0 of 3 missing, 0 doubled, 1 unexpected"),
        ([*EXPECTED[:2], digest(b"key", b"value 2", [("ce_id", b"3")])], "1 of 3 missing, 0 doubled, 1 unexpected"),
    ],
    ids=["missing", "doubled", "unexpected", "another header"],
)
def test_every_difference_is_told(seen: list[bytes], difference: str) -> None:
    with pytest.raises(WrongOutput, match=difference):
        Expectation(frozenset(EXPECTED)).check(seen)


def test_the_right_records_in_any_order_are_right() -> None:
    Expectation(frozenset(EXPECTED)).check(reversed(EXPECTED))


def test_every_first_click_has_an_update_for_each_action() -> None:
    workload = Workload(Shape("some", duplicates=0.5, actions=3), clicks=1_000)
    firsts = sum(is_first for _, is_first, _ in workload.clicks_in_order())
    assert len(expected_updates(workload, FRAME).digests) == 3 * firsts


@pytest.mark.parametrize("shape", SHAPES.values(), ids=str)
def test_a_shape_has_its_share_of_duplicates(shape: Shape) -> None:
    firsts = sum(is_first for _, is_first, _ in Workload(shape, clicks=10_000).clicks_in_order())
    assert 1 - firsts / 10_000 == pytest.approx(shape.duplicates, abs=0.02)


def test_the_same_clicks_come_at_each_call() -> None:
    workload = Workload(SHAPES["changing"], clicks=100)
    assert list(workload.clicks_in_order()) == list(workload.clicks_in_order())


def test_half_of_the_links_may_have_no_actions() -> None:
    acting = sum(bool(actions_of(SHAPES["half-silent"], link, 1)) for link in range(1_000))
    assert acting == 500
