"""Planning the next versions: examples, and the promises that hold for every life of a link."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.guard import Guard
from actions.link import Link, LinkStatus
from actions.repeat import Repeat, RepeatRule
from actions.response import Text
from consumer.links.desired import DesiredLink
from consumer.links.history import Histories
from consumer.links.link_reference import LinkReference
from consumer.links.versioning import (
    Authorship,
    Change,
    NextVersion,
    next_deletions,
    next_epochs,
    next_resets,
    next_versions,
    require_published,
)
from runtime.authoring.diagnostic import InvalidFiles
from runtime.errors import UsageError
from tests.links.builders import (
    ANNA,
    CODEC,
    KINDS,
    SPRING,
    add_planned,
    an_action,
    histories_of,
    record_of,
    wants,
    wants_field,
)

BO = Authorship("bo", ANNA.defined_at + 1)
Planning = Callable[[list[DesiredLink], Histories, Authorship], list[NextVersion]]


def publish(histories: Histories, wanted: DesiredLink, signature: Authorship = ANNA) -> NextVersion:
    (planned,) = next_versions([wanted], histories, signature)
    add_planned(histories, [planned])
    return planned


def delete(histories: Histories) -> NextVersion:
    (planned,) = next_deletions([SPRING], histories, BO)
    add_planned(histories, [planned])
    return planned


def reset(histories: Histories) -> NextVersion:
    (planned,) = next_resets(next_epochs([SPRING], histories), histories, BO)
    add_planned(histories, [planned])
    return planned


def slots_of(link: Link) -> dict[str, int]:
    return {action.action_id: action.slot for action in link.actions}


def test_new_link_starts_at_version_1_epoch_0_with_ordered_slots() -> None:
    planned = publish(histories_of(), wants(wants_field("a"), wants_field("b")))

    assert planned.change is Change.CREATED
    assert (planned.link.version, planned.link.epoch, planned.link.status) == (1, 0, LinkStatus.ACTIVE)
    assert slots_of(planned.link) == {"a": 0, "b": 1}
    assert (planned.link.defined_by, planned.link.defined_at) == ("anna", ANNA.defined_at)
    assert planned.link.url == "https://example.com/spring"


def test_unchanged_link_has_no_next_version() -> None:
    histories = histories_of()
    published = publish(histories, wants(wants_field("a")))

    again = publish(histories, wants(wants_field("a")), BO)

    assert again == NextVersion(Change.UNCHANGED, published.link)


@pytest.mark.parametrize(
    "changed",
    [
        wants(wants_field("a"), name="Another name"),
        wants(wants_field("a"), response=Text("Thanks")),
        wants(wants_field("a", "no")),
        wants(wants_field("a", repeat=Repeat(RepeatRule.ALWAYS))),
        wants(wants_field("a", guard=Guard.CONFIRM)),
        wants(wants_field("a"), wants_field("b")),
        wants(),
    ],
)
def test_any_difference_creates_the_next_version(changed: DesiredLink) -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a")))

    planned = publish(histories, changed, BO)

    assert (planned.change, planned.link.version, planned.link.defined_by) == (Change.CHANGED, 2, "bo")


def test_reordered_actions_are_a_difference() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a"), wants_field("b")))

    planned = publish(histories, wants(wants_field("b"), wants_field("a")))

    assert list(slots_of(planned.link).items()) == [("b", 1), ("a", 0)]


def test_slot_of_removed_action_is_not_reused() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a"), wants_field("b")))
    publish(histories, wants(wants_field("a")))

    assert slots_of(publish(histories, wants(wants_field("c"), wants_field("a"))).link) == {"c": 2, "a": 0}


def test_returning_action_keeps_its_slot() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a"), wants_field("b")))
    publish(histories, wants(wants_field("c")))

    assert slots_of(publish(histories, wants(wants_field("b"), wants_field("d"))).link) == {"b": 1, "d": 3}


def test_action_id_cannot_change_its_kind() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a")))
    publish(histories, wants())

    with pytest.raises(InvalidFiles, match="link spring, action a: this id was published with the kind set_f"):
        next_versions([wants(an_action("script", "a", script="s"))], histories, ANNA)


def test_link_with_unreadable_history_is_not_changed() -> None:
    histories = histories_of()
    histories.add([(b"acme/spring/1", b"\xc3\x01nonsense")])

    with pytest.raises(InvalidFiles, match="its published version 1 cannot be read"):
        next_versions([wants()], histories, ANNA)
    with pytest.raises(UsageError, match="its published version 1 cannot be read"):
        require_published([SPRING], histories)


def test_id_that_looks_like_a_published_one_is_a_mistake() -> None:
    published = publish(
        histories_of(), wants(wants_field("caf\u00e9"), reference=LinkReference("acme", "caf\u00e9"))
    ).link
    other = LinkReference("acme", "cafe\u0301")
    histories = Histories(CODEC, KINDS, {other})
    histories.add([record_of(published)])

    with pytest.raises(InvalidFiles, match="a published link has an id that looks the same"):
        next_versions([wants(reference=other)], histories, ANNA)
    histories = histories_of(published)
    with pytest.raises(InvalidFiles, match="an action of the published link has an id that looks the same"):
        next_versions([wants(wants_field("cafe\u0301"), reference=LinkReference("acme", "caf\u00e9"))], histories, ANNA)


def test_published_id_that_is_invalid_now_stays_usable() -> None:
    histories = histories_of()
    publish(histories, wants(an_action("script", "a", script=" s\u200b\n")))

    assert not histories.unreadable
    assert publish(histories, wants(an_action("script", "a", script="s"))).link.version == 2


def test_link_has_a_lifetime_limit_of_actions() -> None:
    histories = histories_of()
    for start in range(0, 1000, 100):
        publish(histories, wants(*(wants_field(f"a{number}") for number in range(start, start + 100))))

    with pytest.raises(InvalidFiles, match="more than 1000 actions in its life; create a new link"):
        next_versions([wants(wants_field("one-more"))], histories, ANNA)


def test_reset_only_increments_the_epoch() -> None:
    histories = histories_of()
    before = publish(histories, wants(wants_field("a"))).link

    planned = reset(histories)

    assert planned.change is Change.RESET
    assert (planned.link.version, planned.link.epoch, planned.link.defined_by) == (2, 1, "bo")
    assert planned.link.actions == before.actions


def test_publishing_keeps_the_epoch() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a")))
    reset(histories)

    assert publish(histories, wants(wants_field("b"))).link.epoch == 1


def test_concurrent_reset_is_not_repeated() -> None:
    histories = histories_of()
    publish(histories, wants())
    epochs = next_epochs([SPRING], histories)
    reset(histories)

    (planned,) = next_resets(epochs, histories, BO)

    assert (planned.change, planned.link.epoch) == (Change.UNCHANGED, 1)


def test_deleted_link_keeps_its_actions_and_is_deleted_once() -> None:
    histories = histories_of()
    before = publish(histories, wants(wants_field("a"))).link

    planned = delete(histories)

    assert (planned.change, planned.link.version, planned.link.status) == (Change.DELETED, 2, LinkStatus.DELETED)
    assert planned.link.actions == before.actions
    assert delete(histories) == NextVersion(Change.UNCHANGED, planned.link)


def test_publishing_a_deleted_link_restores_it() -> None:
    histories = histories_of()
    publish(histories, wants(wants_field("a")))
    delete(histories)

    planned = publish(histories, wants(wants_field("a")))

    assert (planned.change, planned.link.version, planned.link.status) == (Change.RESTORED, 3, LinkStatus.ACTIVE)


def test_unpublished_links_are_all_named() -> None:
    with pytest.raises(UsageError, match=r"acme/one: no such link(.|\n)*acme/two: no such link"):
        next_epochs([LinkReference("acme", "one"), LinkReference("acme", "two")], histories_of())


def test_link_named_twice_is_reset_once() -> None:
    histories = histories_of()
    publish(histories, wants())

    assert len(next_resets(next_epochs([SPRING, SPRING], histories), histories, BO)) == 1


def test_histories_filter_links_and_accept_duplicate_records() -> None:
    published = publish(histories_of(), wants(wants_field("a"))).link
    histories = Histories(CODEC, KINDS, {SPRING})

    histories.add([record_of(published), record_of(published), (b"acme/other/1", b"?"), (None, b"?"), (b"a/b/c", b"")])

    assert set(histories.links) == {SPRING}
    assert not histories.unreadable


ACTION_SETS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4).map(
    lambda names: wants(*(wants_field(name) for name in names))
)
STEPS = st.lists(st.one_of(ACTION_SETS, st.just("reset"), st.just("delete")), max_size=12)


def check_life(plan: Planning, steps: Sequence[DesiredLink | str]) -> None:
    """Live through the steps and hold every version to the promises of publishing."""
    histories, versions = histories_of(), list[Link]()
    owners: dict[int, str] = {}
    for step in steps:
        epoch_before = versions[-1].epoch if versions else 0
        if isinstance(step, DesiredLink):
            (planned,) = plan([step], histories, ANNA)
            assert list(slots_of(planned.link)) == [action.action_id for action in step.actions]
            assert planned.link.epoch == epoch_before
        elif not versions:
            continue
        else:
            planned = reset(histories) if step == "reset" else delete(histories)
            assert slots_of(planned.link) == slots_of(versions[-1])
            assert planned.link.epoch == epoch_before + (step == "reset")
        add_planned(histories, [planned])
        if planned.change is not Change.UNCHANGED:
            versions.append(planned.link)
        for action_id, slot in slots_of(planned.link).items():
            assert owners.setdefault(slot, action_id) == action_id
        if isinstance(step, DesiredLink):
            assert plan([step], histories, BO)[0].change is Change.UNCHANGED
    assert [link.version for link in versions] == list(range(1, len(versions) + 1))
    assert len(set(owners.values())) == len(owners)


@settings(deadline=None)
@given(STEPS)
def test_versions_and_slots_stay_consistent_in_any_history(
    steps: list[DesiredLink | str],
) -> None:
    check_life(next_versions, steps)


def test_invariants_catch_forgotten_removed_actions() -> None:
    def forgetful(wanted: list[DesiredLink], histories: Histories, signature: Authorship) -> list[NextVersion]:
        newest = [history.newest for history in histories.links.values()]
        return next_versions(wanted, histories_of(*newest), signature)

    with pytest.raises(AssertionError):
        check_life(
            forgetful, [wants(wants_field("a"), wants_field("b")), wants(wants_field("a")), wants(wants_field("c"))]
        )


def test_invariants_catch_publishing_without_a_change() -> None:
    def eager(wanted: list[DesiredLink], histories: Histories, signature: Authorship) -> list[NextVersion]:
        return [NextVersion(Change.CHANGED, planned.link) for planned in next_versions(wanted, histories, signature)]

    with pytest.raises(AssertionError):
        check_life(eager, [wants(wants_field("a"))])
