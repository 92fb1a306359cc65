"""An edge whose clock is wrong: `TURNED_SECONDS` are added to the time of day."""

import os

from cli.app import main
from edge import app
from runtime.clock import SystemClock

TURNED_SECONDS = "TURNED_SECONDS"


class TurnedClock(SystemClock):
    """Tells another time of day, and runs as fast as any."""

    def now_ms(self) -> int:
        return super().now_ms() + 1000 * int(os.environ[TURNED_SECONDS])


if __name__ == "__main__":
    app.SystemClock = TurnedClock  # type: ignore[attr-defined]
    main()
