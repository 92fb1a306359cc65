"""The worker's connection to its supervisor: the worker ends when the supervisor does, and reports its port.

The connection is one end of a socket pair. The system closes the other end when the supervisor ends for any reason,
without signals, process ids or system-specific calls.
"""

import os
import socket
import threading
from contextlib import suppress

from runtime.errors import ExitCode


class ParentWatch:
    """Ends this process at once when its supervisor has ended, which loses nothing and releases state and ids."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        threading.Thread(target=self._watch, name="parent-watch", daemon=True).start()

    def tell_port(self, port: int) -> None:
        """Report the HTTP port of this worker."""
        self._socket.sendall(b"%d\n" % port)

    def _watch(self) -> None:
        # A supervisor that was killed before it read the port resets the connection.
        with suppress(OSError):
            while self._socket.recv(1):
                pass
        os._exit(ExitCode.UNEXPECTED)
