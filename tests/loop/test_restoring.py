"""The state is restored from the changelog before a partition is live."""

from collections.abc import Callable

import pytest

from runtime.errors import Unavailable
from runtime.fake_kafka.transactions import Producer
from runtime.stream.batching import FIRST_RECORDS
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model, require_exact, require_state_as_changelog
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS, tell
from tests.loop.scripted_ports import ScriptedState

RECIPIENTS = 20


def environment_with_clicks() -> FakeEnvironment:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    click_everyone(environment, 0)
    return environment


def click_everyone(environment: FakeEnvironment, number: int) -> None:
    environment.click(*(a_click(100 * number + n, recipient_id=f"r-{n}") for n in range(RECIPIENTS)))


def require_all_done(environment: FakeEnvironment, *disks: ScriptedState) -> None:
    verdict = compare_updates(environment, expected_model(environment, set()))
    assert verdict.is_exact, str(verdict)
    for disk in disks:
        require_state_as_changelog(environment, disk)


def test_worker_with_empty_disk_repeats_nothing() -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    Worker(environment, ScriptedState()).run()
    click_everyone(environment, 1)
    worker = Worker(environment, disk)
    worker.run()
    require_all_done(environment, disk)
    assert worker.counts.clicks == {"duplicate": RECIPIENTS}


def test_current_disk_is_not_restored() -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    Worker(environment, disk).run()
    click_everyone(environment, 1)
    worker = Worker(environment, disk)
    worker.run()
    # The control record behind the last entry is all that is left to read.
    assert worker.observer.restored_records == 0
    require_all_done(environment, disk)


def test_old_disk_is_completed() -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    Worker(environment, disk, max_poll_records=MAX_POLL_RECORDS).run_batches(1)
    Worker(environment, ScriptedState(), max_poll_records=MAX_POLL_RECORDS).run_batches(2)
    worker = Worker(environment, disk)
    worker.run()
    assert worker.observer.restored_records > 0
    require_all_done(environment, disk)


def test_disk_of_another_topic_is_rebuilt() -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    elsewhere = environment_with_clicks()
    elsewhere.cluster.cluster_id = "another cluster"
    Worker(elsewhere, disk).run()
    Worker(environment, disk).run()
    require_all_done(environment, disk)


def test_disk_ahead_of_the_changelog_is_rebuilt() -> None:
    """As after the loss of a broker with unreplicated records."""
    environment, disk = environment_with_clicks(), ScriptedState()
    for partition in range(environment.partitions):
        disk.open(partition, changelog_of(environment)).write({b"never": b"committed"}, 1_000)
    Worker(environment, disk).run()
    require_all_done(environment, disk)


def changelog_of(environment: FakeEnvironment) -> str:
    return f"{environment.cluster.cluster_id}/{environment.cluster.topic(environment.names.changelog).topic_id}"


def test_state_of_other_partition_count_is_refused() -> None:
    environment = environment_with_clicks()
    Worker(environment, ScriptedState()).run()
    before = environment.read(environment.names.clicks)
    worker = Worker(environment, ScriptedState(), partitions=4)
    with pytest.raises(Unavailable, match=r"written for 3 partitions, but link\.clicks\.v1 has 4"):
        worker.run()
    assert environment.read(environment.names.clicks) == before


def test_added_partition_is_refused() -> None:
    environment = environment_with_clicks()
    environment.cluster.add_partitions(environment.names.clicks, 1)
    worker = Worker(environment, ScriptedState())
    with pytest.raises(Unavailable, match="more than 3 partitions now"):
        worker.run()
    assert set(worker.stream.committed().values()) == {0}


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_new_owner_waits_for_transaction_of_previous_owner(end: str) -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    producer = environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    seen: list[int] = []

    def settle() -> None:
        seen.extend(record.partition() for record in environment.read(environment.names.update("interest")))
        act: Callable[[Producer], None] = getattr(environment.cluster.transactions, end)
        act(producer)

    environment.clock.at(3.0, settle)
    Worker(environment, disk).run()
    # The other partitions did not wait.
    assert set(seen) == {1, 2}
    assert environment.clock.monotonic() >= 3.0
    require_all_done(environment, disk)


def test_pending_offsets_are_awaited() -> None:
    environment, disk = environment_with_clicks(), ScriptedState()
    producer = environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    group = environment.cluster.group("group", environment.names.clicks)
    environment.cluster.transactions.add_offsets(producer, group, {0: 2})
    environment.clock.at(3.0, lambda: environment.cluster.transactions.abort(producer))
    Worker(environment, disk, linger_seconds=0.1).run()
    require_all_done(environment, disk)


def test_state_is_restored_between_batches() -> None:
    environment, disks = FakeEnvironment(), [ScriptedState() for _ in range(4)]
    story = tell(environment)
    for disk in disks:
        Worker(environment, disk, max_poll_records=MAX_POLL_RECORDS).run_batches(3)
    Worker(environment, disks[0]).run()
    require_exact(story, *disks)


def test_batches_stay_full_during_a_long_restore() -> None:
    environment, disk = FakeEnvironment(), ScriptedState()
    environment.define(a_link(an_action()))
    environment.click(*(a_click(n, recipient_id=f"r-{n}") for n in range(FIRST_RECORDS)))
    producer = environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    environment.clock.at(3.0, lambda: environment.cluster.transactions.commit(producer))
    worker = Worker(environment, disk)
    worker.run()
    meanwhile = [set(batch.offsets) for batch in worker.observer.batches if 0 not in batch.offsets]
    assert meanwhile == [{1, 2}]
    assert environment.clock.monotonic() >= 3.0
    require_all_done(environment, disk)
