"""The story without failures, on which the tests with failures build."""

from tests.loop.expectations import require_all_counted, require_exact
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.scenario import MAX_POLL_RECORDS, tell
from tests.loop.scripted_ports import ScriptedState


def test_undisturbed_worker_processes_everything_once() -> None:
    environment, disk = FakeEnvironment(), ScriptedState()
    story = tell(environment)
    worker = Worker(environment, disk, max_poll_records=MAX_POLL_RECORDS)
    worker.run()
    require_exact(story, disk)
    require_all_counted(story, worker.counts)
    assert len(worker.observer.batches) > 6


def test_one_large_batch_gives_the_same_result() -> None:
    environment, disk = FakeEnvironment(), ScriptedState()
    story = tell(environment)
    worker = Worker(environment, disk)
    worker.run()
    require_exact(story, disk)
    require_all_counted(story, worker.counts)


def test_second_run_has_nothing_to_do() -> None:
    environment, disk = FakeEnvironment(), ScriptedState()
    story = tell(environment)
    Worker(environment, disk).run()
    again = Worker(environment, disk)
    again.run()
    require_exact(story, disk)
    assert again.counts.consumed == 0


def test_second_worker_completes_the_first() -> None:
    environment, disks = FakeEnvironment(), (ScriptedState(), ScriptedState())
    story = tell(environment)
    first, second = (
        Worker(environment, disk, name=f"worker-{n}", max_poll_records=MAX_POLL_RECORDS) for n, disk in enumerate(disks)
    )
    environment.expire_all_members()
    first.run_batches(6)
    second.run()
    require_exact(story, *disks)
    require_all_counted(story, first.counts + second.counts)
    assert first.counts.consumed > 0
    assert second.counts.consumed > 0
