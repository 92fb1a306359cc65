"""What a supervisor may have as a worker: it says where it answers, and does one thing.

    python -m tests.supervisor.a_worker ACT FILE [--drain] --bond N

ACT is `stay`, until SIGTERM; `ignore`, SIGTERM too; `mutter`, which writes bare lines and then stays; `fenced`, by
which the first one ends with exit code 4 and the others stay; or an exit code to end with at once. FILE gets a line for
each start: the instance id and the process id. FILE.signals gets one for each signal that reaches a worker that stays.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from consumer.monitoring.http import LOOPBACK, HttpServer, json_response
from consumer.process.parent_watch import ParentWatch


def main(act: str, file: str, *options: str) -> int:
    """Do the one thing."""
    bond = ParentWatch(int(options[-1]))
    stopping = threading.Event()

    def heed(received: int, _: object) -> None:
        stopping.set()
        with Path(f"{file}.signals").open("a") as signals:
            signals.write(f"{os.environ['LINK_ACTIONS_INSTANCE_ID']} {signal.Signals(received).name}\n")

    if act == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, heed)
    with Path(file).open("a") as starts:
        starts.write(f"{os.environ['LINK_ACTIONS_INSTANCE_ID']} {os.getpid()}\n")
    if act.isdigit():
        return int(act)
    if act == "fenced" and os.environ["LINK_ACTIONS_INSTANCE_ID"].endswith("-1"):
        return 4
    if act == "mutter":
        os.write(2, b'Fatal Python error\n  File "x.py"\n{"event": "said", "level": "info"}\n')
    server = HttpServer(0, {"/livez": lambda: json_response({"alive": True}, good=True)}, host=LOOPBACK)
    server.start()
    bond.tell_port(server.port)
    while not stopping.wait(0.05):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
