"""A worker stops if committed offsets, dedupe state and clicks contradict each other."""

from collections.abc import Callable

import pytest

from consumer.changelog.checkpoint import Checkpoint
from consumer.loop.history import (
    RESOLUTIONS,
    Contradiction,
    Evidence,
    Resolution,
    explain,
    find_contradiction,
    reprocessed,
    resume_checkpoint,
)
from runtime.errors import Contradictory, ExitCode
from runtime.supervisor.restarts import NOT_RESTARTED
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model, require_state_as_changelog
from tests.loop.fake_environment import GROUP, FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState

RECIPIENTS = 20
NOTE = Checkpoint(4, 100, clicks_topic_id="c/one")
AGREED = Evidence(100, NOTE, 0, 200, "c/one")


def environment_at_work() -> tuple[FakeEnvironment, ScriptedState]:
    """Return an environment whose clicks are all processed, and the disk of the worker that did so."""
    environment, disk = FakeEnvironment(), ScriptedState()
    environment.define(a_link(an_action()))
    click_everyone(environment, 0)
    Worker(environment, disk).run()
    return environment, disk


def click_everyone(environment: FakeEnvironment, number: int) -> None:
    environment.click(*(a_click(100 * number + n, recipient_id=f"r-{n}") for n in range(RECIPIENTS)))


def recreate_changelog(environment: FakeEnvironment) -> None:
    environment.cluster.recreate_topic(environment.names.changelog)


def lose_offsets(environment: FakeEnvironment) -> None:
    environment.cluster.forget_offsets(GROUP)


def recreate_changelog_and_lose_offsets(environment: FakeEnvironment) -> None:
    recreate_changelog(environment)
    lose_offsets(environment)


def empty_changelog(environment: FakeEnvironment) -> None:
    for log in environment.cluster.topic(environment.names.changelog).logs:
        log.delete_before(log.end)


def cut_changelog(environment: FakeEnvironment) -> None:
    for log in environment.cluster.topic(environment.names.changelog).logs:
        log.delete_before(1)


def set_offsets_back(environment: FakeEnvironment) -> None:
    environment.cluster.group(GROUP, environment.names.clicks).set_offsets(
        dict.fromkeys(range(environment.partitions), 1)
    )


def set_offsets_forward(environment: FakeEnvironment) -> None:
    ends = {p: log.end for p, log in enumerate(environment.cluster.topic(environment.names.clicks).logs)}
    environment.cluster.group(GROUP, environment.names.clicks).set_offsets(ends)


def delete_unread(environment: FakeEnvironment) -> None:
    for log in environment.cluster.topic(environment.names.clicks).logs:
        log.delete_before(log.end - 1)


def recreate_clicks(environment: FakeEnvironment) -> None:
    environment.cluster.recreate_topic(environment.names.clicks)


@pytest.mark.parametrize(
    ("befall", "told"),
    [
        (recreate_changelog, "has committed offset .*, but the changelog is empty"),
        (empty_changelog, "has committed offset .*, but the changelog is empty"),
        (recreate_changelog_and_lose_offsets, "disk holds a copy of an earlier changelog"),
        (cut_changelog, "the changelog begins at offset 1 instead of 0"),
        (lose_offsets, r"covers every click before offset .* has no committed offset"),
        (set_offsets_back, r"covers every click before offset .* is 1: it was reset"),
        (set_offsets_forward, r"covers every click before offset .*: it was reset"),
        (delete_unread, r"were deleted before they were read, \d+ in all"),
        (recreate_clicks, "the topic was deleted and created again"),
    ],
)
def test_contradiction_stops_the_worker_unchanged(befall: Callable[[FakeEnvironment], None], told: str) -> None:
    environment, disk = environment_at_work()
    click_everyone(environment, 1)
    befall(environment)
    updates = environment.read(environment.names.update("set_field"))
    for _ in range(2):  # a restart finds the same
        with pytest.raises(Contradictory, match=told) as raised:
            Worker(environment, disk).run()
        assert "run one of: link-actions state reconcile --" in str(raised.value)
        environment.expire_all_members()
    assert environment.read(environment.names.update("set_field")) == updates


def test_supervisor_does_not_restart_after_contradiction() -> None:
    assert Contradictory.exit_code is ExitCode.CONTRADICTORY
    assert Contradictory.exit_code in NOT_RESTARTED


def test_clicks_deleted_under_a_running_worker_stop_it() -> None:
    environment, disk = environment_at_work()

    def click_and_delete() -> None:
        click_everyone(environment, 1)
        delete_unread(environment)

    environment.clock.at(1.0, click_and_delete)
    with pytest.raises(Contradictory, match="were deleted before they were read"):
        Worker(environment, disk, linger_seconds=0.1, drain=False).run()


def test_new_group_ignores_earlier_deletions() -> None:
    environment = FakeEnvironment()
    environment.define(a_link(an_action()))
    click_everyone(environment, 0)
    delete_unread(environment)
    worker = Worker(environment, ScriptedState())
    worker.run()
    assert worker.counts.clicks.total() == environment.partitions


def test_first_transaction_checkpoints_every_partition() -> None:
    environment, disk = FakeEnvironment(), ScriptedState()
    environment.define(a_link(an_action()))
    environment.click(a_click(recipient_id="the first"))
    Worker(environment, disk).run()
    click_everyone(environment, 0)
    delete_unread(environment)
    with pytest.raises(Contradictory, match=r"were deleted before they were read, \d+ in all .*the same in [12] more"):
        Worker(environment, ScriptedState()).run()


def test_deletion_of_processed_clicks_is_no_loss() -> None:
    environment, disk = environment_at_work()
    for log in environment.cluster.topic(environment.names.clicks).logs:
        log.delete_before(log.end)
    click_everyone(environment, 1)
    worker = Worker(environment, disk)
    worker.run()
    assert worker.counts.clicks == {"duplicate": RECIPIENTS}


def test_other_group_on_same_disk_is_new() -> None:
    environment, disk = environment_at_work()
    recreate_changelog_and_lose_offsets(environment)
    disk.known.write(disk.known.read().replace(GROUP.encode(), b"other", 1))
    Worker(environment, disk).run()


def test_installation_with_all_topics_recreated_is_new() -> None:
    environment, disk = environment_at_work()
    recreate_changelog(environment)
    recreate_clicks(environment)
    click_everyone(environment, 1)
    Worker(environment, disk).run()
    require_state_as_changelog(environment, disk)


def test_disk_of_another_cluster_is_rebuilt() -> None:
    elsewhere, disk = FakeEnvironment(), ScriptedState()
    elsewhere.cluster.cluster_id = "another cluster"
    click_everyone(elsewhere, 0)
    Worker(elsewhere, disk).run()
    environment, _ = environment_at_work()
    click_everyone(environment, 1)
    Worker(environment, disk).run()
    assert compare_updates(environment, expected_model(environment, set())).is_exact


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (AGREED, None),
        (Evidence(None, None, 0, 0), None),
        (Evidence(None, None, 50, 60), None),
        (Evidence(0, None, 0, 10), None),
        (Evidence(0, None, 3, 10), Contradiction.CLICKS_DELETED),
        (Evidence(None, Checkpoint(4), 7, 9), None),
        (Evidence(None, Checkpoint(4, 0), 0, 9), None),
        (Evidence(7, None, 0, 10), Contradiction.STATE_LOST),
        (Evidence(7, Checkpoint(4), 0, 10), Contradiction.STATE_LOST),
        (Evidence(None, None, 0, 10, had_state=True), Contradiction.STATE_LOST),
        (Evidence(100, NOTE, 0, 200, "c/one", changelog_start=3), Contradiction.STATE_PARTLY_LOST),
        (Evidence(None, NOTE, 0, 200, "c/one"), Contradiction.OFFSETS_LOST),
        (Evidence(99, NOTE, 0, 200, "c/one"), Contradiction.OFFSETS_MOVED),
        (Evidence(101, NOTE, 0, 200, "c/one"), Contradiction.OFFSETS_MOVED),
        (Evidence(100, NOTE, 100, 200, "c/one"), None),
        (Evidence(100, NOTE, 101, 200, "c/one"), Contradiction.CLICKS_DELETED),
        (Evidence(100, NOTE, 0, 100, "c/one"), None),
        (Evidence(100, NOTE, 0, 99, "c/one"), Contradiction.CLICKS_TRUNCATED),
        (Evidence(None, NOTE, 0, 200, "c/two"), Contradiction.CLICKS_REPLACED),
    ],
)
def test_find_contradiction(seen: Evidence, kind: Contradiction | None) -> None:
    assert find_contradiction(seen) is kind


@pytest.mark.parametrize(
    ("seen", "resolution", "expected"),
    [
        (Evidence(7, None, 0, 10, "c"), Resolution.ACCEPT_LOST_MEMORY, (7, 0, 0)),
        (Evidence(7, None, 9, 10, "c"), Resolution.ACCEPT_LOST_MEMORY, (9, 2, 0)),
        (Evidence(0, None, 3, 10, "c"), Resolution.SKIP_LOST_CLICKS, (3, 3, 0)),
        (Evidence(None, None, 3, 10, "c", had_state=True), Resolution.ACCEPT_LOST_MEMORY, (3, 0, 0)),
        (Evidence(None, NOTE, 0, 200, "c/one"), Resolution.OFFSETS_FROM_STATE, (100, 0, 0)),
        (Evidence(None, NOTE, 120, 200, "c/one"), Resolution.OFFSETS_FROM_STATE, (120, 20, 0)),
        (Evidence(None, NOTE, 30, 200, "c/one"), Resolution.OFFSETS_FROM_GROUP, (30, 0, 70)),
        (Evidence(90, NOTE, 0, 200, "c/one"), Resolution.OFFSETS_FROM_GROUP, (90, 0, 10)),
        (Evidence(110, NOTE, 0, 200, "c/one"), Resolution.OFFSETS_FROM_GROUP, (110, 10, 0)),
        (Evidence(100, NOTE, 130, 200, "c/one"), Resolution.SKIP_LOST_CLICKS, (130, 30, 0)),
        (Evidence(100, NOTE, 0, 80, "c/one"), Resolution.SKIP_LOST_CLICKS, (80, 0, 0)),
        (Evidence(None, NOTE, 5, 80, "c/two"), Resolution.SKIP_LOST_CLICKS, (5, 0, 0)),
    ],
)
def test_checkpoint_to_continue_with(seen: Evidence, resolution: Resolution, expected: tuple[int, int, int]) -> None:
    """`expected`: the offset to continue from, the number of offsets lost, and the number processed again."""
    note = resume_checkpoint(seen, resolution, 4)
    assert (note.offset, note.skipped, reprocessed(seen, note)) == expected
    assert note.clicks_topic_id == seen.clicks_topic_id


@pytest.mark.parametrize("kind", [*Contradiction])
def test_message_names_every_way(kind: Contradiction) -> None:
    text = explain({2: (kind, AGREED), 5: (kind, AGREED)}, "group")
    assert text.startswith("Partition 2 of link.clicks.v1: ")
    assert "(the same in 1 more: 5)" in text
    for resolution in RESOLUTIONS[kind]:
        assert f"link-actions state reconcile --{resolution} (continues from offset " in text


def test_commit_of_a_new_owner_is_no_contradiction_for_a_stalled_worker() -> None:
    """A contradiction found once may be the work of another owner: here one takes over between restore and check."""
    environment, disk = environment_at_work()
    click_everyone(environment, 1)
    rehearsal, rehearsal_disk = environment_at_work()
    click_everyone(rehearsal, 1)
    worker = Worker(rehearsal, rehearsal_disk)
    worker.run()
    _, verifying, *_ = (index for index, name in enumerate(worker.script.calls) if name == "consumer.seek_to_committed")

    def take_over() -> None:
        environment.expire_all_members()
        Worker(environment, ScriptedState(), name="other").run()

    Worker(environment, disk, script=Script({verifying: Happening(before=take_over)})).run()
    assert compare_updates(environment, expected_model(environment, set())).is_exact
