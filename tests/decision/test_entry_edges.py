"""What a bad record leaves behind."""

import gc

from tests.bad_records import bad_records
from tests.builders import a_click, a_link, an_action
from tests.click_parts import click_bytes
from tests.decision.twins import DecisionHarness


def test_a_bad_record_does_not_keep_its_whole_batch_in_memory() -> None:
    """An exception that was raised holds the frames it went through, and they all that was known of the batch.

    The worker's collector looks for such circles rarely: one bad record in each batch took 600 MB.
    """
    harness = DecisionHarness(a_link(an_action()))
    values = [click_bytes(a_click(number, link_version=number % 3)) for number in range(50)]
    values += [case.value or b"" for case in bad_records()]
    harness.decide(*values)
    gc.collect()
    gc.disable()
    try:
        harness.decide(*values)
        assert gc.collect() == 0
        for bad in harness.decide(*values).dead_letters.values():
            assert (bad.__traceback__, bad.__cause__, bad.__context__) == (None, None, None)
    finally:
        gc.enable()
