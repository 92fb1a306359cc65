"""`python -m tests.sanitized [TEST ...]`: exit 1 where a sanitizer or a test finds something, 3 without a compiler."""

import sys
import tempfile
from pathlib import Path

from tests.sanitized.build import CannotBuild, build
from tests.sanitized.run import run

TESTS = (
    "tests/decision",
    "tests/edge/test_click_encodings.py",
    "tests/edge/test_publisher.py",
    "tests/edge/test_spool.py",
    "tests/kafka/test_batch_producer.py",
    "tests/records/test_block.py",
    "tests/ports/test_sending.py",
    "tests/ports/test_consuming.py",
    "tests/state/test_matchers.py",
    "tests/state/test_rowfile_against_dict.py",
)
"""Tests that exercise the compiled modules, also with corrupt bytes of every kind."""


def main(tests: list[str]) -> int:
    """Build a copy of the program with sanitizers, and run these tests in it."""
    with tempfile.TemporaryDirectory(prefix="link-actions-sanitized-") as name:
        try:
            copy = build(Path(name))
        except CannotBuild as reason:
            sys.stderr.write(f"{reason}\n")
            return 3
        result = run(copy, tests or TESTS)
        sys.stdout.write(result.output)
        for report in result.reports:
            sys.stdout.write(report)
        verdict = "found something" if result.reports else "found nothing"
        sys.stdout.write(f"the sanitizers {verdict} in {len(copy.parts)} compiled parts\n")
    return 1 if result.reports or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
