"""Two authors at once on the in-memory topic: a fenced author retries, and nothing is lost."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from actions.link import Link, link_from_record
from consumer.links.desired import DesiredLink
from consumer.links.history import Histories
from consumer.links.link_publisher import LinkPublisher
from consumer.links.link_reference import LinkReference
from consumer.links.publication import encode
from consumer.links.published import UnreadableVersion, WithdrawnVersion
from consumer.links.versioning import next_versions
from runtime.authoring.diagnostic import InvalidFiles
from runtime.authoring.publishing import ATTEMPTS, DefinitionTopic, PublishInterrupted
from runtime.errors import Unavailable, UsageError
from schemas.codec import Codec
from tests.actions.builders import a_link, an_action
from tests.authoring.in_memory_topic import FrozenClock, MemoryDefinitionTopic, MemoryLog, Record
from tests.links.builders import ANNA, CODEC, GOOD, KINDS, SPRING, links_in, record_of, wants, wants_field
from tests.schemas.test_new_kinds import link_defined_with

AUTUMN = LinkReference("acme", "autumn")


def an_author(
    open_topic: Callable[[], DefinitionTopic], clock: FrozenClock | None = None, name: str = "anna"
) -> LinkPublisher:
    return LinkPublisher(open_topic, kinds=KINDS, codec=CODEC, clock=clock or FrozenClock(), defined_by=name)


def on(log: MemoryLog, *before_commit: Callable[[], object]) -> Callable[[], MemoryDefinitionTopic]:
    return lambda: MemoryDefinitionTopic(log, before_commit)


def changes(author: LinkPublisher, *wanted: DesiredLink) -> list[str]:
    return [f"{each.change} {each.link.link_id} {each.link.version}" for each in author.publish(wanted)]


def published(log: MemoryLog) -> list[str]:
    return [(key or b"").decode() for key, _ in log.records]


def test_new_links_are_published_once() -> None:
    log = MemoryLog()

    assert changes(an_author(on(log)), wants(), wants(reference=AUTUMN)) == ["created spring 1", "created autumn 1"]
    assert changes(an_author(on(log)), wants(), wants(reference=AUTUMN)) == ["unchanged spring 1", "unchanged autumn 1"]
    assert published(log) == ["acme/spring/1", "acme/autumn/1"]


def test_author_with_nothing_new_fences_no_one() -> None:
    log = MemoryLog()
    an_author(on(log)).publish([wants()])
    term = log.term

    an_author(on(log)).publish([wants()])

    assert log.term == term


def test_preview_publishes_nothing() -> None:
    log = MemoryLog()

    (planned,) = an_author(on(log)).preview([wants()])

    assert planned.change == "created"
    assert not log.records


def test_fenced_author_retries_on_newly_published_versions() -> None:
    log, clock = MemoryLog(), FrozenClock()
    other = an_author(on(log), name="bo")
    overtaking = on(log, lambda: other.publish([wants(wants_field("b"))]))

    assert changes(an_author(overtaking, clock), wants(wants_field("a"))) == ["changed spring 2"]
    assert published(log) == ["acme/spring/1", "acme/spring/2"]
    assert clock.pauses == [0.1]
    newest = an_author(on(log)).version(SPRING)
    assert [(action.action_id, action.slot) for action in newest.actions] == [("a", 1)]


def test_fenced_author_skips_link_published_by_the_other() -> None:
    log = MemoryLog()
    other = an_author(on(log), name="bo")

    assert changes(an_author(on(log, lambda: other.publish([wants()]))), wants()) == ["unchanged spring 1"]
    assert published(log) == ["acme/spring/1"]


def test_author_sees_versions_published_before_the_fence() -> None:
    """Otherwise both would publish the same version number, and the second record would replace the first."""
    log = MemoryLog()
    other = an_author(on(log), name="bo")

    class SlowTopic(MemoryDefinitionTopic):
        def fence_others(self) -> None:
            other.publish([wants(wants_field("b"))])
            super().fence_others()

    assert changes(an_author(lambda: SlowTopic(log)), wants(wants_field("a"))) == ["changed spring 2"]
    assert published(log) == ["acme/spring/1", "acme/spring/2"]


def test_concurrent_reset_counts_for_both_authors() -> None:
    log = MemoryLog()
    an_author(on(log)).publish([wants()])
    other = an_author(on(log), name="bo")

    an_author(on(log, lambda: other.reset([SPRING]))).reset([SPRING])

    assert an_author(on(log)).version(SPRING).epoch == 1


def test_author_backs_off_and_gives_up_if_fenced_repeatedly() -> None:
    log, clock = MemoryLog(), FrozenClock()
    overtakers = [MemoryDefinitionTopic(log).fence_others for _ in range(ATTEMPTS)]

    with pytest.raises(Unavailable, match=r"could not be published in 12 attempts \(fenced by another author\)"):
        an_author(on(log, *overtakers), clock).publish([wants()])

    assert not log.records
    assert clock.pauses == sorted(clock.pauses)
    assert len(clock.pauses) == ATTEMPTS


def test_commit_with_lost_response_counts_as_done() -> None:
    class LosesTheAnswer(MemoryDefinitionTopic):
        def publish(self, records: Sequence[Record]) -> None:
            super().publish(records)
            raise PublishInterrupted("the answer did not come")

    log = MemoryLog()
    author = an_author(lambda: LosesTheAnswer(log))

    assert changes(author, wants()) == ["created spring 1"]
    assert [each.change for each in author.reset([SPRING])] == ["reset"]
    assert published(log) == ["acme/spring/1", "acme/spring/2"]


def test_conflict_with_published_versions_publishes_nothing() -> None:
    log = MemoryLog()
    author = an_author(on(log))

    with pytest.raises(UsageError, match="no such link is published"):
        author.delete([SPRING])
    with pytest.raises(UsageError, match="no such link is published"):
        author.version(SPRING)
    assert not log.records


def test_earlier_versions_stay_readable() -> None:
    author = an_author(on(MemoryLog()))
    author.publish([wants(name="First")])
    author.publish([wants(name="Second")])
    author.delete([SPRING])

    assert [author.version(SPRING, number).name for number in (1, 2, 3)] == ["First", "Second", "Second"]
    assert author.version(SPRING).status == "deleted"
    with pytest.raises(UsageError, match="acme/spring has no version 4; it has the versions 1 to 3"):
        author.version(SPRING, 4)


def test_newest_versions_are_listed_by_tenant_and_link() -> None:
    log = MemoryLog()
    author = an_author(on(log))
    beta = LinkReference("beta", "a/b")
    author.publish([wants(), wants(reference=beta), wants(reference=AUTUMN)])
    author.publish([wants(name="Second")])
    log.records += [(b"acme/zebra/1", b"nonsense"), (b"no key at all", b"nonsense")]

    acme, others = author.list_links("acme"), author.list_links("beta")
    assert [link.link_id for link in [*acme, *others] if isinstance(link, Link)] == ["autumn", "spring", "a/b"]
    assert [link.version for link in acme if isinstance(link, Link | UnreadableVersion)] == [1, 2, 1]
    assert isinstance(acme[2], UnreadableVersion)


def test_unreadable_version_is_reported() -> None:
    author = an_author(on(MemoryLog([(b"acme/spring/1", b"nonsense")])))

    with pytest.raises(UsageError, match=r"acme/spring version 1 cannot be read \(.*\); publish the link again"):
        author.version(SPRING)


def test_withdrawn_version_number_is_not_reused() -> None:
    log = MemoryLog()
    author = an_author(on(log))
    author.publish([wants(name="First")])
    author.publish([wants(name="Second")])
    log.records.append((b"acme/spring/2", None))

    link, problems = author.inspect(SPRING)
    assert (link.name, link.version) == ("First", 1)
    assert problems == [WithdrawnVersion(SPRING, 2)]
    assert author.list_links() == [link, WithdrawnVersion(SPRING, 2)]
    with pytest.raises(UsageError, match="acme/spring has no version 2; its only version is 1"):
        author.version(SPRING, 2)
    assert changes(author, wants(name="First")) == ["unchanged spring 1"]
    assert changes(author, wants(name="Third")) == ["changed spring 3"]
    assert author.version(SPRING).name == "Third"


def test_fully_withdrawn_link_is_created_with_next_version() -> None:
    log = MemoryLog([(b"acme/spring/9", None)])
    author = an_author(on(log))

    with pytest.raises(UsageError, match="no such link is published"):
        author.version(SPRING)
    assert changes(author, wants()) == ["created spring 10"]
    assert changes(author, wants()) == ["unchanged spring 10"]


@pytest.mark.parametrize("value", [b"", b"nonsense", record_of(a_link(link_id="other"))[1]])
def test_publishing_replaces_a_corrupt_version(value: bytes) -> None:
    log = MemoryLog()
    author = an_author(on(log))
    author.publish([wants(wants_field("a"))])
    log.records.append((b"acme/spring/9", value))

    assert changes(author, wants(wants_field("a"))) == ["repaired spring 10"]
    assert changes(author, wants(wants_field("a"))) == ["unchanged spring 10"]
    link, problems = author.inspect(SPRING)
    assert [action.slot for action in link.actions] == [0]
    assert [(each.version, type(each)) for each in problems] == [(9, UnreadableVersion)]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_out_of_order_versions_are_folded_by_number(order: tuple[int, ...]) -> None:
    source = MemoryLog()
    for name in ("First", "Second", "Third"):
        an_author(on(source)).publish([wants(wants_field(name), name=name)])
    author = an_author(on(MemoryLog(source.records[number - 1] for number in order)))

    assert author.version(SPRING).name == "Third"
    assert [(each.link.version, each.link.actions[0].slot) for each in author.publish([wants(wants_field("new"))])] == [
        (4, 3)
    ]


def test_fully_unreadable_link_can_be_published_again() -> None:
    author = an_author(on(MemoryLog([(b"acme/spring/3", b"nonsense")])))

    with pytest.raises(UsageError, match="none of its published versions can be read; publish it from its link file"):
        author.reset([SPRING])
    assert changes(author, wants()) == ["created spring 4"]


def test_highest_possible_version_is_a_mistake() -> None:
    author = an_author(on(MemoryLog([record_of(a_link(version=2**63 - 1))])))

    with pytest.raises(InvalidFiles, match="9223372036854775807 is the highest possible; create a link with"):
        author.publish([wants()])
    with pytest.raises(UsageError, match="the highest possible"):
        author.delete([SPRING])


def test_link_withdrawn_during_reset_is_reported() -> None:
    log = MemoryLog()
    an_author(on(log)).publish([wants()])

    def withdraw_and_overtake() -> None:
        log.records.append((b"acme/spring/1", None))
        MemoryDefinitionTopic(log).fence_others()

    with pytest.raises(UsageError, match="none of its published versions can be read"):
        an_author(on(log, withdraw_and_overtake)).reset([SPRING])


def test_slot_beyond_the_limit_is_a_mistake() -> None:
    author = an_author(on(MemoryLog([record_of(a_link(an_action(slot=65_535)))])))

    with pytest.raises(InvalidFiles, match="actions in its life; create a new link"):
        author.publish([wants(wants_field("new"))])


def test_published_record_is_readable_without_a_later_kind(tmp_path: Path) -> None:
    newer = Codec(link_defined_with(tmp_path, ("try_first",)))
    planned = next_versions(links_in(GOOD), Histories(newer, KINDS, {SPRING}), ANNA)

    [(_, value)] = encode(planned, newer)

    assert link_from_record(CODEC.decode(value), KINDS) == planned[0].link
