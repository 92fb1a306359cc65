"""Bringing the local state up to the changelog before a partition is worked on."""

from collections.abc import Callable

import pytest

from consumer.errors import Unavailable
from consumer.fake_kafka.transactions import Producer
from consumer.loop.batching import FIRST_RECORDS
from consumer.loop.pace import LingerPolicy
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import judge_updates, require_exact, require_state_as_changelog, what_must_be
from tests.loop.fake_environment import House, Worker
from tests.loop.scenario import BITE, tell
from tests.loop.scripted_ports import ScriptedState

RECIPIENTS = 20


def a_house_with_clicks() -> House:
    house = House()
    house.define(a_link(an_action()))
    click_everyone(house, 0)
    return house


def click_everyone(house: House, number: int) -> None:
    house.click(*(a_click(100 * number + n, recipient_id=f"r-{n}") for n in range(RECIPIENTS)))


def require_all_done(house: House, *disks: ScriptedState) -> None:
    verdict = judge_updates(house, what_must_be(house, set()))
    assert verdict.is_exact, str(verdict)
    for disk in disks:
        require_state_as_changelog(house, disk)


def test_a_worker_with_an_empty_disk_repeats_nothing() -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    Worker(house, ScriptedState()).run()
    click_everyone(house, 1)
    worker = Worker(house, disk)
    worker.run()
    require_all_done(house, disk)
    assert worker.counts.clicks == {"duplicate": RECIPIENTS}


def test_a_disk_that_is_up_to_date_is_not_read_again() -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    Worker(house, disk).run()
    click_everyone(house, 1)
    worker = Worker(house, disk)
    worker.run()
    # The control record behind the last entry is all that is left to read.
    assert worker.observer.restored_records == 0
    require_all_done(house, disk)


def test_a_disk_that_stayed_behind_is_completed() -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    Worker(house, disk, bite=BITE).run_batches(1)
    Worker(house, ScriptedState(), bite=BITE).run_batches(2)
    worker = Worker(house, disk)
    worker.run()
    assert worker.observer.restored_records > 0
    require_all_done(house, disk)


def test_a_disk_that_is_a_copy_of_another_topic_is_rebuilt() -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    elsewhere = a_house_with_clicks()
    elsewhere.cluster.cluster_id = "another cluster"
    Worker(elsewhere, disk).run()
    Worker(house, disk).run()
    require_all_done(house, disk)


def test_a_disk_from_beyond_the_end_of_the_changelog_is_rebuilt() -> None:
    """As after the loss of a broker that had not copied all."""
    house, disk = a_house_with_clicks(), ScriptedState()
    for partition in range(house.partitions):
        disk.open(partition, changelog_of(house)).write({b"never": b"committed"}, 1_000)
    Worker(house, disk).run()
    require_all_done(house, disk)


def changelog_of(house: House) -> str:
    return f"{house.cluster.cluster_id}/{house.cluster.topic(house.names.changelog).topic_id}"


def test_memory_that_was_kept_for_another_number_of_partitions_is_refused() -> None:
    house = a_house_with_clicks()
    Worker(house, ScriptedState()).run()
    before = house.read(house.names.clicks)
    worker = Worker(house, ScriptedState(), partitions=4)
    with pytest.raises(Unavailable, match=r"kept for 3 partitions and link\.clicks\.v1 has 4"):
        worker.run()
    assert house.read(house.names.clicks) == before


def test_a_partition_that_the_clicks_did_not_have_is_refused() -> None:
    house = a_house_with_clicks()
    house.cluster.add_partitions(house.names.clicks, 1)
    worker = Worker(house, ScriptedState())
    with pytest.raises(Unavailable, match="more than its 3 partitions"):
        worker.run()
    assert set(worker.stream.committed().values()) == {0}


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_a_partition_waits_for_the_transaction_of_whoever_had_it_before(end: str) -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    producer = house.leave_open(house.names.changelog, 0, b"key", b"value")
    seen: list[int] = []

    def settle() -> None:
        seen.extend(record.partition() for record in house.read(house.names.update("interest")))
        act: Callable[[Producer], None] = getattr(house.cluster.transactions, end)
        act(producer)

    house.clock.at(3.0, settle)
    Worker(house, disk).run()
    # The other partitions did not wait.
    assert set(seen) == {1, 2}
    assert house.clock.monotonic() >= 3.0
    require_all_done(house, disk)


def test_offsets_that_are_in_doubt_are_waited_for() -> None:
    house, disk = a_house_with_clicks(), ScriptedState()
    producer = house.leave_open(house.names.changelog, 0, b"key", b"value")
    group = house.cluster.group("group", house.names.clicks)
    house.cluster.transactions.add_offsets(producer, group, {0: 2})
    house.clock.at(3.0, lambda: house.cluster.transactions.abort(producer))
    Worker(house, disk, pace=LingerPolicy(0.1, drain=True)).run()
    require_all_done(house, disk)


def test_state_is_restored_in_the_middle_of_the_story() -> None:
    house, disks = House(), [ScriptedState() for _ in range(4)]
    story = tell(house)
    for disk in disks:
        Worker(house, disk, bite=BITE).run_batches(3)
    Worker(house, disks[0]).run()
    require_exact(story, *disks)


def test_the_others_keep_full_batches_while_one_partition_restores_for_long() -> None:
    house, disk = House(), ScriptedState()
    house.define(a_link(an_action()))
    house.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(FIRST_RECORDS)))
    producer = house.leave_open(house.names.changelog, 0, b"key", b"value")
    house.clock.at(3.0, lambda: house.cluster.transactions.commit(producer))
    worker = Worker(house, disk)
    worker.run()
    meanwhile = [set(batch.offsets) for batch in worker.observer.batches if 0 not in batch.offsets]
    assert meanwhile == [{1, 2}]
    assert house.clock.monotonic() >= 3.0
    require_all_done(house, disk)
