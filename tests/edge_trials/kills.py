"""Kills an edge under load again and again."""

import time
from pathlib import Path

from cli.output import say
from deploy.kafka import KafkaProcess
from tests.edge_trials.verdict import judge, wait_drained
from tests.edge_trials.work import Given, an_edge, fresh_kafka
from tests.kafka.test_edge import a_path
from tests.support.edge import Crowd
from tests.support.waiting import wait_until

LOAD_SECONDS = 0.6


def run(given: Given) -> bool:
    """Print the figures; return whether every answered click is in the topic."""
    with fresh_kafka() as (kafka, folder):
        answered = kill_often(kafka, folder, given.kills)
        edge = an_edge(kafka, folder)
        wait_drained(edge, folder / "spool")
        edge.stop()
        verdict = judge(kafka, folder, answered)
    say(f"{given.kills} kills: {verdict}")
    return not verdict.lost


def kill_often(kafka: KafkaProcess, folder: Path, kills: int) -> list[str]:
    """Kill an edge under load again and again; return the ids of the answered clicks."""
    answered: list[str] = []
    for _ in range(kills):
        edge = an_edge(kafka, folder)
        crowd = Crowd(edge.edge_port, a_path)
        wait_until(lambda crowd=crowd: len(crowd.click_ids) > 50, "answers")  # type: ignore[misc]
        time.sleep(LOAD_SECONDS)
        edge.kill()
        answered += crowd.stop().click_ids
    return answered
