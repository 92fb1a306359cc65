"""The input of one run: link versions, clicks and bad records."""

from collections.abc import Callable
from functools import partial
from random import Random

from consumer.loop.batch_decider import DEFINITION_WAIT_MS
from consumer.verify.murmur import partition_of
from schemas.bad_record import Reason
from tests.builders import DAY, NOON, Record, a_click, a_link, an_action
from tests.loop.fake_environment import CLICKS
from tests.loop.scenario import BadOne, Story
from tests.simulation.scheduler import Scheduler

LAST_SECOND = 7.0
UPDATES = ("SetField", "ChangeInterest", "ChangeMembership", "CreateFollowUp", "OpenRequest", "RunScript")
EARLY_SECONDS = 1.0
"""Longest time by which a click may precede the definition of its version."""
HOUR = 3_600_000
OLDEST_MS = 20 * HOUR
"""Less than the day for which the id of a click is remembered."""
AGAIN = 0.1
"""How often the edge publishes a click once more."""
MAX_LINKS, MAX_CLICKS, MAX_RECIPIENTS = 5, 45, 6


class Traffic:
    """Plans everything ahead; it reaches the topics as time passes."""

    def __init__(self, story: Story, scheduler: Scheduler, random: Random, of_confirmation: Random) -> None:
        """`of_confirmation` decides guards, confirmations and replays, so that the rest is as it was without them."""
        self._story, self._environment = story, story.environment
        self._scheduler = scheduler
        self._random, self._of_confirmation = random, of_confirmation
        self._versions: dict[str, list[tuple[float, Record]]] = {}
        self._drawn = 0
        self._clicks: list[Record] = []
        """Those that came, which the edge may publish once more."""

    def plan(self) -> None:
        """Schedule links, clicks and bad records."""
        random = self._random
        for number in range(random.randint(2, MAX_LINKS)):
            self._plan_link(f"link-{number}")
        for _ in range(random.randint(15, MAX_CLICKS)):
            self._at_some_time(self._click)
        for _ in range(random.randint(0, 3)):
            self._at_some_time(self._publish_broken)
        for _ in range(random.randint(0, 2)):
            self._at_some_time(self._publish_misrouted)

    def _at_some_time(self, act: Callable[[], None]) -> None:
        self._scheduler.after(self._random.uniform(0.0, LAST_SECOND), act)

    def _plan_link(self, link_id: str) -> None:
        """Draw one version, or several that come during the run; only links that stay are clicked without a version."""
        random = self._random
        actions = [self._draw_action(slot) for slot in range(random.choice([0, 1, 1, 2, 3]))]
        versions = [(0.0, a_link(*actions, link_id=link_id))]
        epoch = 0
        for number in range(2, 2 + random.choice([0, 0, 1, 2])):
            if random.random() < 0.5:
                epoch += 1
            else:
                actions = [*actions, self._draw_action(len(actions))]
            time = random.uniform(0.5, LAST_SECOND)
            versions.append((time, a_link(*actions, link_id=link_id, version=number, epoch=epoch)))
        versions = [(time, link) for time, (_, link) in zip(sorted(t for t, _ in versions), versions, strict=True)]
        self._versions[link_id] = versions
        for time, link in versions:
            self._scheduler.after(time, partial(self._environment.define, link))

    def _draw_action(self, slot: int) -> Record:
        random = self._random
        rule = random.choice(["once", "once", "once_per_mailing", "always", "cooldown"])
        update = random.choice(UPDATES)
        own = {"description": "In {mailing_id} at {clicked_at}"} if update == "CreateFollowUp" else {}
        if update == "ChangeInterest":
            own = {"scope": random.choice(["person", "company"])}
        guard = self._of_confirmation.choice(["none", "none", "confirm"])
        period_ms = 6 * HOUR if rule == "cooldown" else None
        return an_action(update, slot=slot, rule=rule, period_ms=period_ms, guard=guard, **own)

    def _draw_click(self) -> Record:
        random = self._random
        versions = self._versions[random.choice([*self._versions])]
        known = [link for time, link in versions if time <= self._scheduler.monotonic() + EARLY_SECONDS]
        named = random.choice(known)["version"] if len(versions) > 1 or random.random() < 0.3 else None
        self._drawn += 1
        return a_click(
            self._drawn,
            link_id=versions[0][1]["link_id"],
            recipient_id=f"r-{random.randint(1, MAX_RECIPIENTS)}",
            clicked_at=NOON - random.randint(0, OLDEST_MS),
            mailing_id=random.choice(["m-1", "m-2", None, "", " "]),
            flow_id=random.choice([None, "", "f-1", "f-2"]),
            flow_run_id=random.choice([None, "", "m-1", "run-2"]),
            person_id=random.choice(["p-1"] * 8 + [None, ""]),
            company_id=random.choice(["c-1"] * 5 + [None, ""]),
            link_version=named,
            test=random.random() < 0.04,
            confirmed=self._of_confirmation.random() < 0.4,
            page_click_id=self._of_confirmation.choice([None] * 7 + ["c-0", "", " "]),
            replayed=self._of_confirmation.random() < 0.05,
        )

    def _click(self) -> None:
        draw = self._random.random()
        click = self._random.choice(self._clicks) if self._clicks and draw > 1 - AGAIN else self._draw_click()
        if draw < 0.02:
            self._environment.click(click | {"link_id": "nobody-defined-it", "link_version": None})
        elif draw < 0.03:
            partition = self._right_partition(click)
            self._story.bad.append(BadOne(partition, self._end(partition), Reason.UNKNOWN_VERSION))
            self._environment.click(
                click | {"link_version": 99, "test": False}, timestamp=NOON - DEFINITION_WAIT_MS + 200
            )
        elif draw < 0.035:
            partition = self._right_partition(click)
            self._story.bad.append(BadOne(partition, self._end(partition), Reason.CLICK_ID_MISSING))
            self._environment.click(click | {"click_id": self._random.choice(["", " "])})
        else:
            self._clicks.append(click)
            self._environment.click(click)

    def _publish_broken(self) -> None:
        whole = CLICKS.encode(a_click())
        values = {
            Reason.NULL_VALUE: None,
            Reason.EMPTY_VALUE: b"",
            Reason.UNKNOWN_FRAME: b"no frame at all",
            Reason.TRUNCATED: whole[: len(whole) // 2],
            Reason.TRAILING_BYTES: whole + b"\x00",
            Reason.TIMESTAMP_OUT_OF_RANGE: CLICKS.encode(a_click(clicked_at=NOON + 9 * DAY)),
        }
        reason = self._random.choice([*values])
        partition = self._random.randrange(self._environment.partitions)
        self._story.bad.append(BadOne(partition, self._end(partition), reason))
        self._environment.put(values[reason], b"some key", partition=partition)

    def _publish_misrouted(self) -> None:
        click = self._draw_click()
        right = self._right_partition(click)
        value = CLICKS.encode(click)
        key = self._random.choice([None, b"wrong", b"acme/somebody"])
        self._story.misrouted.append((value, right))
        self._environment.put(value, key, partition=(right + 1) % self._environment.partitions)

    def _right_partition(self, click: Record) -> int:
        return partition_of(f"{click['tenant_id']}/{click['recipient_id']}".encode(), self._environment.partitions)

    def _end(self, partition: int) -> int:
        return self._environment.cluster.topic(self._environment.names.clicks).log(partition).end
