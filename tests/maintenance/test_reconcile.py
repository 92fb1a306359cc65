"""Resolves contradictions on the in-memory Kafka: the records written, and that a worker accepts them."""

from collections.abc import Callable

import pytest

from consumer.changelog.checkpoint import CHECKPOINT_KEY, REPARTITIONING, Checkpoint
from consumer.loop.history import Contradiction, Resolution
from consumer.maintenance.inspection import contradictions
from consumer.maintenance.reconcile import Reconciliation
from runtime.errors import Unavailable
from runtime.fake_kafka.cluster import Draft
from runtime.fake_kafka.group import NonEmptyGroup
from tests.loop.fake_environment import GROUP, FakeEnvironment, Worker
from tests.loop.scripted_ports import ScriptedState
from tests.loop.test_history import (
    RECIPIENTS,
    click_everyone,
    cut_changelog,
    delete_unread,
    environment_at_work,
    lose_offsets,
    recreate_changelog,
    recreate_changelog_and_lose_offsets,
    recreate_clicks,
    set_offsets_back,
    set_offsets_forward,
)
from tests.simulation.operator import FakeReconcileAdmin

KINDS_OF: dict[Callable[[FakeEnvironment], None], tuple[Resolution, dict[str, int] | None]] = {
    recreate_changelog: (Resolution.ACCEPT_LOST_MEMORY, {"applied": RECIPIENTS}),
    recreate_changelog_and_lose_offsets: (
        Resolution.ACCEPT_LOST_MEMORY,
        {"applied": RECIPIENTS, "duplicate": RECIPIENTS},
    ),
    cut_changelog: (Resolution.ACCEPT_LOST_MEMORY, None),
    lose_offsets: (Resolution.OFFSETS_FROM_STATE, {"duplicate": RECIPIENTS}),
    set_offsets_back: (Resolution.OFFSETS_FROM_STATE, {"duplicate": RECIPIENTS}),
    set_offsets_forward: (Resolution.OFFSETS_FROM_STATE, {"duplicate": RECIPIENTS}),
    recreate_clicks: (Resolution.SKIP_LOST_CLICKS, {}),
}


def reconcile(environment: FakeEnvironment, resolution: Resolution) -> Reconciliation:
    _, work = FakeReconcileAdmin(environment).reconciling(environment.clock)
    reconciliation = work.prepare(resolution)
    work.apply(reconciliation)
    return reconciliation


@pytest.mark.parametrize("befall", KINDS_OF)
def test_worker_continues_from_the_chosen_offset(befall: Callable[[FakeEnvironment], None]) -> None:
    resolution, expected = KINDS_OF[befall]
    environment, disk = environment_at_work()
    click_everyone(environment, 1)
    befall(environment)
    assert reconcile(environment, resolution).left == {}
    worker = Worker(environment, disk)
    worker.run()
    if expected is not None:
        assert worker.counts.clicks == expected


def test_worker_continues_from_chosen_group_offsets() -> None:
    environment, disk = environment_at_work()
    lose_offsets(environment)
    plan = reconcile(environment, Resolution.OFFSETS_FROM_GROUP)
    assert sum(step.reprocessed for step in plan.steps) == RECIPIENTS
    worker = Worker(environment, disk)
    worker.run()
    assert worker.counts.clicks == {"duplicate": RECIPIENTS}


def test_skipped_clicks_stay_counted_across_workers() -> None:
    environment, disk = environment_at_work()
    for number in (1, 2):
        click_everyone(environment, number)
        delete_unread(environment)
        plan = reconcile(environment, Resolution.SKIP_LOST_CLICKS)
        assert sum(step.skipped for step in plan.steps) == RECIPIENTS - environment.partitions
        Worker(environment, disk).run()
    worker = Worker(environment, ScriptedState(), linger_seconds=0.1, drain=False)
    worker.run(lambda: environment.clock.monotonic() > 1.0)
    text = worker.observer._metrics.exposition().decode()
    lost = [line for line in text.splitlines() if line.startswith("link_actions_clicks_lost_total{")]
    assert sum(float(line.split()[1]) for line in lost) == 2 * (RECIPIENTS - environment.partitions)


def test_inapplicable_option_changes_nothing() -> None:
    environment, _ = environment_at_work()
    click_everyone(environment, 1)
    delete_unread(environment)
    before = environment.read(environment.names.changelog)
    plan = reconcile(environment, Resolution.OFFSETS_FROM_STATE)
    assert not plan.steps
    assert {kind for kind, _ in plan.left.values()} == {Contradiction.CLICKS_DELETED}
    assert environment.read(environment.names.changelog) == before


def test_consistent_partition_is_not_changed() -> None:
    environment, _ = environment_at_work()
    for resolution in Resolution:
        assert not reconcile(environment, resolution).steps


def test_it_refuses_while_a_worker_is_in_the_group() -> None:
    environment, _ = environment_at_work()
    environment.cluster.group(GROUP, environment.names.clicks).join("member")
    with pytest.raises(Unavailable, match="The group has 1 running worker; stop all of them"):
        reconcile(environment, Resolution.SKIP_LOST_CLICKS)


def test_it_refuses_during_a_repartition() -> None:
    environment, _ = environment_at_work()
    environment.cluster.append(
        environment.names.changelog, 1, Draft(CHECKPOINT_KEY, Checkpoint(REPARTITIONING).encode())
    )
    with pytest.raises(Unavailable, match="repartition to its end"):
        reconcile(environment, Resolution.OFFSETS_FROM_STATE)


def test_checkpoint_is_found_before_any_aborted_records() -> None:
    environment, _ = environment_at_work()
    changelog = environment.names.changelog
    producer = environment.leave_open(changelog, 0, b"key", b"value")
    log = environment.cluster.topic(changelog).log(0)
    for number in range(5_000):
        draft = Draft(b"%d" % number, b"never seen")
        environment.cluster.transactions.append(producer, log, environment.cluster.maker(changelog, 0, draft))
    environment.cluster.transactions.abort(producer)
    inspection, _ = FakeReconcileAdmin(environment).reconciling(environment.clock)
    assert contradictions(inspection.look(environment.partitions)) == {}


def test_open_transaction_is_not_awaited_forever() -> None:
    environment, _ = environment_at_work()
    environment.leave_open(environment.names.changelog, 0, b"key", b"value")
    inspection, _ = FakeReconcileAdmin(environment).reconciling(environment.clock)
    with pytest.raises(Unavailable, match="a transaction is open"):
        inspection.look(environment.partitions)


def test_offsets_cannot_be_set_while_the_group_has_members() -> None:
    """The in-memory group refuses them as a broker does."""
    environment, _ = environment_at_work()
    group = environment.cluster.group(GROUP, environment.names.clicks)
    group.join("member")
    with pytest.raises(NonEmptyGroup, match="the group has 1 members"):
        group.set_offsets({0: 1})
    with pytest.raises(NonEmptyGroup, match="the group has 1 members"):
        group.forget_offsets()
