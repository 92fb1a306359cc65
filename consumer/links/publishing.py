"""Publishing new versions so that two authors at once lose nothing.

An author reads what is published, then takes over: whoever took over before can publish no more. What came in between
is read as well, the versions are planned on all of it, and written in one transaction. An author who was overtaken
plans again on what the other one published.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from actions.link import record_from_link
from consumer.clock import Clock
from consumer.errors import Unavailable
from consumer.links.history import Histories
from consumer.links.link_reference import LinkReference
from consumer.links.published import PublishedRecord
from consumer.links.versioning import Change, PlannedLink
from schemas.codec import Codec
from schemas.definition_key import definition_key

ATTEMPTS = 12
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

Plan = Callable[[Histories], list[PlannedLink]]


class Fenced(Exception):
    """Another author took over, or the transaction failed, or nobody knows whether it did: plan again."""


class DefinitionTopic(Protocol):
    """The published definitions, as an author sees them. Any method raises Unavailable where Kafka cannot be had."""

    def read_new(self) -> Iterable[PublishedRecord]:
        """Return all that was published since the last call, up to the end."""

    def take_over(self) -> None:
        """Make sure that no author who took over before can publish; their open transactions are ended.

        Raises Fenced when somebody did the same to this author meanwhile.
        """

    def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write all of these keys and values or none; only after `take_over`. Raises Fenced."""

    def close(self) -> None:
        """Let go of the connections."""


def publish(
    topic: DefinitionTopic, histories: Histories, plan: Plan, *, codec: Codec, clock: Clock
) -> list[PlannedLink]:
    """Publish what the plan asks for and return it; where that is nothing, no other author is disturbed.

    Raises what the plan raises, and Unavailable when other authors kept overtaking.
    """
    histories.add(topic.read_new())
    planned = plan(histories)
    reason = ""
    for attempt in range(ATTEMPTS):
        if not _news(planned):
            return planned
        try:
            topic.take_over()
            histories.add(topic.read_new())
            planned = plan(histories)
            topic.publish(encode(_news(planned), codec))
        except Fenced as error:
            reason = str(error)
        else:
            return planned
        clock.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
        histories.add(topic.read_new())
        if _arrived(planned, histories):
            return planned
        planned = plan(histories)
    raise Unavailable(f"the links could not be published in {ATTEMPTS} attempts ({reason}); try again in a minute")


def encode(planned: Iterable[PlannedLink], codec: Codec) -> list[tuple[bytes, bytes]]:
    """Return the records of new versions."""
    links = [planned_link.link for planned_link in planned]
    return [
        (
            definition_key(link.tenant_id, link.link_id, link.version),
            codec.encode_for_earlier_readers(record_from_link(link)),
        )
        for link in links
    ]


def _news(planned: Iterable[PlannedLink]) -> list[PlannedLink]:
    return [planned_link for planned_link in planned if planned_link.change is not Change.UNCHANGED]


def _arrived(planned: Iterable[PlannedLink], histories: Histories) -> bool:
    """Tell whether a transaction of unknown outcome was committed after all."""
    news = [planned_link.link for planned_link in _news(planned)]
    newest = {reference: history.newest for reference, history in histories.links.items()}
    return bool(news) and all(newest.get(LinkReference(link.tenant_id, link.link_id)) == link for link in news)
