"""The tour can be followed: its commands print what the page shows, on a Kafka that `make kafka` starts."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.tour import BLOCK, PAGE, ROOT, NoKafka, carried_out, commands, comparable, local_kafka

README = (ROOT / "README.md").read_text()


def consoles(text: str) -> str:
    return "```console\n" + "".join(BLOCK.findall(text))


@pytest.mark.kafka
def test_the_tour_prints_what_the_page_shows(tmp_path: Path, do_without: Callable[[str], NoReturn]) -> None:
    page = PAGE.read_text()
    try:
        with local_kafka() as servers:
            now = carried_out(page, servers, tmp_path)
    except NoKafka as reason:
        do_without(str(reason))

    assert comparable(now) == comparable(page), "run make tour, and read what it changes in docs/tour.md"


def test_readme_commands_match_the_tour() -> None:
    assert commands(README)
    assert set(commands(README)) <= set(commands(PAGE.read_text()))


def test_the_readme_prints_what_the_tour_prints() -> None:
    """README.md may leave lines out; it marks that with an ellipsis."""
    shown = {line for line in comparable(consoles(README)) if line != "…"}

    assert shown <= set(comparable(PAGE.read_text())), "copy the lines from docs/tour.md"


def test_make_kafka_runs_what_the_tour_is_tested_on() -> None:
    assert "\nkafka: install" in (ROOT / "Makefile").read_text()
    assert "-m deploy.kafka $(KAFKA_PORT)" in (ROOT / "Makefile").read_text()


def test_what_the_page_shows_is_compared() -> None:
    page = "```console\n$ link-actions updates tail\n{} b\n{} a\n```\n"
    shown = page.format("2026-01-01 10:00:00", "2026-01-01 10:00:00")

    assert comparable(page.format("2027-02-02 11:11:11", "2027-02-02 11:11:12")) == comparable(shown)
    assert comparable(shown.replace(" b", " x").replace(" a", " b").replace(" x", " a")) == comparable(shown)
    assert comparable(shown.replace(" b", " c")) != comparable(shown)
