"""A fake worker for a supervisor: it tells its port and does one thing.

    python -m tests.supervisor.a_worker ACT FILE [--drain] --parent-fd N

ACT is one of
    stay      run until SIGTERM
    ignore    ignore SIGTERM
    mutter    write bare lines to standard error, then stay
    fenced    the first worker exits with code 4, the others stay
    CODE      exit with this code at once
FILE gets a line for each start: the instance id and the process id. FILE.signals gets one for each signal that reaches
a worker that stays.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from runtime.monitoring.http import LOOPBACK, HttpServer, json_response
from runtime.process.parent_watch import ParentWatch


def main(act: str, file: str, *options: str) -> int:
    """Do what ACT says."""
    parent = ParentWatch(int(options[-1]))
    stopping = threading.Event()

    def on_signal(received: int, _: object) -> None:
        stopping.set()
        with Path(f"{file}.signals").open("a") as signals:
            signals.write(f"{os.environ['LINK_ACTIONS_INSTANCE_ID']} {signal.Signals(received).name}\n")

    if act == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
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
    parent.tell_port(server.port)
    while not stopping.wait(0.05):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
