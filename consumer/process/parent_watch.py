"""The worker's side of the bond with its supervisor: it ends when the supervisor does, and tells its port.

The bond is one end of a socket pair. The system closes the other end with the supervisor, however that ends, and
needs no signal, no process id and nothing that only one system has.
"""

import os
import socket
import threading
from contextlib import suppress

from consumer.errors import ExitCode


class ParentWatch:
    """Ends this process at once when its supervisor is gone: nothing is lost, and state and ids are free again."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        threading.Thread(target=self._watch, name="bond", daemon=True).start()

    def tell_port(self, port: int) -> None:
        """Say where this worker answers."""
        self._socket.sendall(b"%d\n" % port)

    def _watch(self) -> None:
        # A supervisor that was killed before it read the port leaves a connection that was reset.
        with suppress(OSError):
            while self._socket.recv(1):
                pass
        os._exit(ExitCode.UNEXPECTED)
