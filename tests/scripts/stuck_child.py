"""The process of the sandbox with an engine that never comes back from one script."""

import time

from scripts.sandbox import child
from scripts.sandbox.run import Outcome, ScriptRun


class StuckRunner(child.Runner):
    def run(self, run: ScriptRun) -> Outcome:
        while "stuck" in run.source:
            time.sleep(0.01)
        return super().run(run)


def main() -> None:
    """Serve with the fault."""
    child.serve_locked(StuckRunner)
