"""`python -m tests.edge_trials kills|outage|disk|strangers`: exit 1 if a click is lost or the edge fails."""

import argparse
import sys

from tests.edge_trials import disk, kills, outage, strangers
from tests.edge_trials.work import Given

TRIALS = {"kills": kills.run, "outage": outage.run, "disk": disk.run, "strangers": strangers.run}


def main() -> int:
    """Run the named trial."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=TRIALS)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--outage", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=200.0, metavar="CLICKS_A_SECOND")
    given = parser.parse_args()
    return 0 if TRIALS[given.trial](Given(given.kills, given.outage, given.rate)) else 1


if __name__ == "__main__":
    sys.exit(main())
