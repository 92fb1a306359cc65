from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from consumer.demo.crash import KilledWorker
from consumer.demo.example_person import choose_example_person
from consumer.demo.findings import examine
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.report import print_report
from consumer.demo.summary import Summary
from tests.demo.perfect import PARTITIONS, a_sample, perfect_evidence

WIDTH = 100
KILLED = KilledWorker("worker-2", 4711, partitions=(2, 3), done=120, waiting=80, in_transaction=True)


def a_summary(*, lost_updates: int = 0) -> Summary:
    sample = a_sample(clicks=1_500)
    evidence = perfect_evidence(sample)
    evidence = replace(evidence, updates=evidence.updates[lost_updates:], never_committed=3_218)
    findings = examine(evidence, sample.broken, sent=len(sample.publications), partitions=PARTITIONS)
    return Summary("a Kafka", sample.seed, 41.3, KILLED, findings)


def printed(summary: Summary) -> str:
    console = Console(file=StringIO(), width=WIDTH)
    print_report(console, summary, choose_example_person(summary.findings.clicks, summary.findings.updates))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def summary() -> Summary:
    return a_summary()


def test_last_line_says_that_the_run_is_exact(summary: Summary) -> None:
    expected = f"{summary.findings.comparison.expected:,}"

    assert printed(summary).splitlines()[-1].strip() == (
        f"{expected} updates expected, {expected} seen: 0 missing, 0 doubled. Exactly once."
    )


def test_report_fits_a_terminal_of_100_columns(summary: Summary) -> None:
    text = printed(summary)
    headings = [
        "Clicks by outcome",
        "Updates by kind of action",
        "Dead letters by reason",
        "The clicks of one recipient, r-",
        "The check: an independent reader (read_committed) against a reference model",
    ]

    assert max(map(len, text.splitlines())) <= WIDTH
    assert [text.find(heading) for heading in headings] == sorted(text.find(heading) for heading in headings)
    assert text.find(headings[0]) >= 0
    assert "3,218 more updates are in the log" in text


def test_inexact_run_ends_with_its_faults() -> None:
    text = printed(a_summary(lost_updates=2))

    assert "2 missing, 0 doubled. NOT EXACT." in text
    assert "Exactly once." not in text


def test_json_has_the_same_figures(summary: Summary) -> None:
    result = summary.as_json()

    assert result["exact"] is True
    assert result["updates"]["expected"] == result["updates"]["seen"] == sum(result["updates"]["by_kind"].values())
    assert result["dead_letters"]["missing"] == result["dead_letters"]["surplus"] == result["hits"]["wrong"] == 0
    assert result["killed"]["worker"] == "worker-2"
    assert result["seconds"] == 41.3


def test_progress_without_a_terminal_is_an_occasional_line() -> None:
    console = Console(file=StringIO(), width=WIDTH)
    reporter = ProgressReporter(console)
    with reporter.progress(100) as show:
        for done in range(100):
            show(100, done)
    reporter.say("done")

    assert isinstance(console.file, StringIO)
    (line,) = console.file.getvalue().splitlines()
    assert line.endswith("s  done")


def test_killed_worker_names_process_and_moment() -> None:
    assert str(KILLED) == "worker-2 (process 4711) killed with SIGKILL in the middle of a transaction"
    assert str(replace(KILLED, in_transaction=False)).endswith("between two transactions")
