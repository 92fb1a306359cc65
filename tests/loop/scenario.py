"""A short story of clicks with every case that the loop can meet, and the dead letters it must give."""

from dataclasses import dataclass, field

from consumer.loop.batch_decider import DEFINITION_WAIT_MS
from consumer.verify.murmur import partition_of
from schemas.bad_record import Reason
from tests.builders import DAY, NOON, Record, a_click, a_link, an_action
from tests.loop.fake_environment import CLICKS, FakeEnvironment

MAX_POLL_RECORDS = 5
"""Records that are handed out at once; a batch has one more, which the loop asks for first. The story takes six."""
LATE_SECONDS = 0.3
"""When the second version of a link is published, after clicks that name it."""

LINKS = (
    a_link(an_action("SetField"), an_action("ChangeInterest", slot=1)),
    a_link(
        an_action("CreateFollowUp", rule="once_per_mailing", description="In {mailing_id} at {clicked_at}"),
        link_id="call",
    ),
    a_link(
        an_action("RunScript", rule="always"),
        an_action("OpenRequest", slot=1, rule="cooldown", period_ms=DAY),
        link_id="ping",
    ),
    a_link(an_action("ChangeInterest", scope="company"), link_id="company"),
    a_link(link_id="plain"),
    a_link(an_action("ChangeMembership"), link_id="late"),
)
LATE_LINK = a_link(an_action("ChangeMembership", slot=1), link_id="late", version=2)

RECIPIENTS = ("r-1", "r-2")
FIRST: tuple[Record, ...] = (
    {},
    {"mailing_id": "m-2"},
    {"link_id": "call"},
    {"link_id": "ping"},
    {"link_id": "ping"},
    {"link_id": "company", "company_id": None},
    {"link_id": "plain"},
    {"link_id": "late", "link_version": 2},
)
"""What each recipient clicks two days ago, and then today."""
LATER: tuple[Record, ...] = (
    {"link_id": "call", "mailing_id": "m-2"},
    {"link_id": "call"},
    {"link_id": "ping"},
    {"link_id": "late", "link_version": 1},
    {"test": True},
    {"link_id": "nobody-defined-it"},
)


@dataclass
class BadOne:
    """A record that must become a dead letter."""

    partition: int
    offset: int
    reason: Reason


@dataclass
class Story:
    """Clicks and bad records in an environment, and what must become of them."""

    environment: FakeEnvironment
    bad: list[BadOne] = field(default_factory=list)
    misrouted: list[tuple[bytes, int]] = field(default_factory=list)
    """Value and right partition."""


def tell(environment: FakeEnvironment) -> Story:
    """Publish links and clicks, and schedule the late version."""
    story = Story(environment)
    environment.define(*LINKS)
    environment.clock.at(LATE_SECONDS, lambda: environment.define(LATE_LINK))
    environment.click(*_first_clicks())
    _publish_bad_records(story)
    _publish_misrouted(story)
    environment.click(*_later_clicks())
    _publish_unknown_version(story)
    return story


def _first_clicks() -> list[Record]:
    return [
        a_click(10 * number + place, recipient_id=recipient, clicked_at=NOON - 2 * DAY, **fields)
        for place, recipient in enumerate(RECIPIENTS)
        for number, fields in enumerate(FIRST)
    ]


def _later_clicks() -> list[Record]:
    return [
        a_click(200 + 10 * number + place, recipient_id=recipient, clicked_at=NOON - number * 1_000, **fields)
        for place, recipient in enumerate(RECIPIENTS)
        for number, fields in enumerate(LATER)
    ]


def _publish_bad_records(story: Story) -> None:
    whole = CLICKS.encode(a_click())
    values = {
        Reason.NULL_VALUE: None,
        Reason.EMPTY_VALUE: b"",
        Reason.UNKNOWN_FRAME: b"no frame at all",
        Reason.TRUNCATED: whole[: len(whole) // 2],
        Reason.TRAILING_BYTES: whole + b"\x00",
        Reason.TIMESTAMP_OUT_OF_RANGE: CLICKS.encode(a_click(clicked_at=NOON + 9 * DAY)),
    }
    for number, (reason, value) in enumerate(values.items()):
        partition = number % story.environment.partitions
        story.bad.append(BadOne(partition, _end(story.environment, partition), reason))
        story.environment.put(value, b"some key", partition=partition)


def _publish_misrouted(story: Story) -> None:
    """Publish clicks with a wrong or no key or in a wrong partition: of a new and a known recipient, and a copy."""
    clicks = [
        a_click(100, recipient_id="r-3"),
        a_click(101, recipient_id="r-1", mailing_id="m-3", link_id="call"),
        a_click(102, recipient_id="r-3", mailing_id="m-2"),
    ]
    for click, key in zip(clicks, (None, b"wrong", b"acme/somebody"), strict=True):
        right = _partition(story.environment, click)
        value = CLICKS.encode(click)
        story.misrouted.append((value, right))
        story.environment.put(value, key, partition=(right + 1) % story.environment.partitions)


def _publish_unknown_version(story: Story) -> None:
    click = a_click(300, recipient_id="r-2", link_version=99)
    partition = _partition(story.environment, click)
    story.bad.append(BadOne(partition, _end(story.environment, partition), Reason.UNKNOWN_VERSION))
    # It came long ago, so that it need not be waited for much longer.
    story.environment.click(click, timestamp=NOON - DEFINITION_WAIT_MS + 200)


def _partition(environment: FakeEnvironment, click: Record) -> int:
    return partition_of(f"{click['tenant_id']}/{click['recipient_id']}".encode(), environment.partitions)


def _end(environment: FakeEnvironment, partition: int) -> int:
    return environment.cluster.topic(environment.names.clicks).log(partition).end
