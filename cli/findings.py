"""Shows the findings of `doctor` and `edge check`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from cli.output import say_json
from cli.table import Whole, print_table
from consumer.doctor.finding import Finding, exit_code_of
from runtime.errors import ExitCode


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> ExitCode:
    """Write a table for people or a line of JSON per finding; return the exit code of the failures."""
    if as_json:
        for finding in findings:
            fields = asdict(finding)
            del fields["exit_code"]
            say_json(fields)
    else:
        print_table(("", "check", "result and fix"), [row for finding in findings for row in _rows(finding)])
    return exit_code_of(findings)


def _rows(finding: Finding) -> Iterator[tuple[str, str, str]]:
    yield finding.status, finding.subject, finding.seen
    if finding.fix:
        yield "", "", Whole(f"→ {finding.fix}")
