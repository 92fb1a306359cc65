"""`python -m bench.slowed_worker SHARE run --drain`: link-actions with that share of extra CPU.

The guard must notice it. The worker is unchanged: a thread burns a share of what the other threads use.
"""

import sys
import time
from threading import Thread

from cli.app import main

_SLICE_SECONDS = 0.01


def burn(share: float) -> None:
    """Keep this thread's CPU at the share of that of all others."""
    while True:
        own = time.thread_time()
        until = own + (time.process_time() - own) * share - own
        while time.thread_time() < until:
            pass
        time.sleep(_SLICE_SECONDS)


if __name__ == "__main__":
    Thread(target=burn, args=(float(sys.argv.pop(1)),), daemon=True).start()
    main()
