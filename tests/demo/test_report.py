from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from consumer.demo.crash import Killing
from consumer.demo.example_person import describe_example_person
from consumer.demo.findings import examine
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.report import print_report
from consumer.demo.summary import Summary
from tests.demo.perfect import PARTITIONS, a_sample, perfect_evidence

WIDTH = 100
KILLING = Killing("worker-2", 4711, partitions=(2, 3), done=120, waiting=80, in_transaction=True)


def a_summary(*, lost_updates: int = 0) -> Summary:
    sample = a_sample(clicks=1_500)
    evidence = perfect_evidence(sample)
    evidence = replace(evidence, updates=evidence.updates[lost_updates:], never_committed=3_218)
    findings = examine(evidence, sample.broken, sent=len(sample.publications), partitions=PARTITIONS)
    return Summary("a Kafka", sample.seed, 41.3, KILLING, findings)


def printed(summary: Summary) -> str:
    console = Console(file=StringIO(), width=WIDTH)
    print_report(console, summary, describe_example_person(summary.findings.clicks, summary.findings.updates))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def summary() -> Summary:
    return a_summary()


def test_the_last_line_says_plainly_that_it_is_exact(summary: Summary) -> None:
    expected = f"{summary.findings.verdict.expected:,}"

    assert printed(summary).splitlines()[-1].strip() == (
        f"{expected} updates expected, {expected} seen: 0 missing, 0 doubled. Exactly once."
    )


def test_everything_fits_a_terminal_of_a_hundred_columns(summary: Summary) -> None:
    text = printed(summary)
    headings = [
        "What became of the clicks",
        "What the CRM was told",
        "Dead letters by reason",
        "The story of one recipient, r-",
        "The check: an independent reader (read_committed) against a naive model",
    ]

    assert max(map(len, text.splitlines())) <= WIDTH
    assert [text.find(heading) for heading in headings] == sorted(text.find(heading) for heading in headings)
    assert text.find(headings[0]) >= 0
    assert "3,218 more updates lie in the log" in text


def test_what_is_not_exact_says_so_last_with_what_is_wrong() -> None:
    text = printed(a_summary(lost_updates=2))

    assert "2 missing, 0 doubled. NOT EXACT." in text
    assert "Exactly once." not in text


def test_a_program_reads_the_same_figures(summary: Summary) -> None:
    result = summary.as_json()

    assert result["exact"] is True
    assert result["updates"]["expected"] == result["updates"]["seen"] == sum(result["updates"]["by_kind"].values())
    assert result["dead_letters"]["missing"] == result["dead_letters"]["surplus"] == result["hits"]["wrong"] == 0
    assert result["killed"]["worker"] == "worker-2"
    assert result["seconds"] == 41.3


def test_without_a_terminal_the_progress_is_a_line_now_and_then() -> None:
    console = Console(file=StringIO(), width=WIDTH)
    narrator = ProgressReporter(console)
    with narrator.progress(100) as show:
        for done in range(100):
            show(100, done)
    narrator.say("done")

    assert isinstance(console.file, StringIO)
    (line,) = console.file.getvalue().splitlines()
    assert line.endswith("s  done")


def test_the_killing_is_told_as_it_was() -> None:
    assert str(KILLING) == "worker-2 (process 4711) killed with SIGKILL in the middle of a transaction"
    assert str(replace(KILLING, in_transaction=False)).endswith("between two transactions")
