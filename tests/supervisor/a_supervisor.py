"""A supervisor of workers that do one thing: `python -m tests.supervisor.a_supervisor N ACT FILE [OPTION…]`.

`--drain` is that of `run`; with `--job` it has a process group of its own, as a job of a shell has.
"""

import os
import sys

from consumer.config.settings import LogFormat, LogLevel, load_settings
from consumer.monitoring.logs import configure_logs
from consumer.supervisor.composition import run_workers


def main(workers: str, act: str, file: str, *options: str) -> int:
    """Run them."""
    if "--job" in options:
        os.setpgid(0, 0)
    configure_logs(LogLevel.INFO, LogFormat.JSON)
    program = [sys.executable, "-m", "tests.supervisor.a_worker", act, file]
    return run_workers(
        load_settings(os.environ), os.environ, workers=int(workers), drain="--drain" in options, program=program
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
