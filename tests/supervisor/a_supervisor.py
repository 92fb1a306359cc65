"""A supervisor of fake workers: `python -m tests.supervisor.a_supervisor N ACT FILE [OPTION…]`.

`--drain` is that of `run`; with `--job` it gets its own process group, like a job of a shell.
"""

import os
import sys

from runtime.config.environment import load_settings
from runtime.config.settings import LogFormat, LogLevel
from runtime.monitoring.logs import configure_logs
from runtime.supervisor.composition import run_workers


def main(workers: str, act: str, file: str, *options: str) -> int:
    """Run the workers."""
    if "--job" in options:
        os.setpgid(0, 0)
    configure_logs(LogLevel.INFO, LogFormat.JSON)
    program = [sys.executable, "-m", "tests.supervisor.a_worker", act, file]
    return run_workers(
        load_settings(os.environ), os.environ, workers=int(workers), drain="--drain" in options, program=program
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
