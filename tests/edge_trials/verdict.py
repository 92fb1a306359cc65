"""The judge: compares the ids that people were answered with those in the topic."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka import KafkaProcess
from tests.edge_trials.work import PREFIX
from tests.kafka.test_edge import clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.edge import EdgeProcess
from tests.support.waiting import wait_until

SETTLE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Numbers of clicks. `unanswered` ones are in the topic, and their answer was not read to its end."""

    answered: int
    lost: int
    doubled: int
    unanswered: int

    def __str__(self) -> str:
        return (
            f"{self.answered} answered, {self.lost} lost, {self.doubled} doubled,"
            f" {self.unanswered} recorded but not answered"
        )


def judge(kafka: KafkaProcess, folder: Path, answered: Iterable[str]) -> Verdict:
    """Read the topic with the independent reader, and count."""
    ids = set(answered)
    numbers = Counter(click["click_id"] for click in clicks_in_topic(Deployment(kafka, PREFIX, folder)))
    return Verdict(
        answered=len(ids),
        lost=len(ids - numbers.keys()),
        doubled=sum(numbers.values()) - len(numbers),
        unanswered=len(numbers.keys() - ids),
    )


def wait_drained(edge: EdgeProcess, spool: Path) -> None:
    """Return once the broker has everything, what dead processes left included."""
    wait_until(lambda: len([*spool.glob("edge-*")]) == 1, "takeover of every folder", timeout=SETTLE_SECONDS)
    wait_until(edge.is_published, "publication of every click", timeout=SETTLE_SECONDS)
