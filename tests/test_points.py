"""A point that no worker reaches would let a test of a crash pass, or wait, without any crash."""

import pytest

from tests.chaos.worker_faults import AT_ITS_START, IN_A_TURN
from tests.support.points import check_point


@pytest.mark.parametrize("point", [*IN_A_TURN.values(), *AT_ITS_START.values(), "records.3", "before.consume"])
def test_known_points(point: str) -> None:
    check_point(point)


@pytest.mark.parametrize("point", ["after.produce_all", "before.producer.rewind.4", "during.consume", "records.x", ""])
def test_unknown_points_are_refused(point: str) -> None:
    with pytest.raises(ValueError, match="not a point"):
        check_point(point)
