"""uvicorn's server in this process, without its logs, signals and configuration."""

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from edge.http.protocol import LimitedProtocol, close_late

KEEP_ALIVE_SECONDS = 15
GRACE_SECONDS = 2


class EdgeServer(uvicorn.Server):
    """Serves until `is_stopping` returns true; then finishes what is being answered."""

    def __init__(
        self, app: Any, is_stopping: Callable[[], bool], beat: Callable[[], None], each_second: Callable[[], None]
    ) -> None:
        """While the event loop turns, `beat` is called ten times a second and `each_second` once."""
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a stranger could fill the log with warnings
        self._is_stopping = is_stopping
        self._beat = beat
        self._each_second = each_second

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to this process."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Close late connections; called ten times a second."""
        self._beat()
        if counter % 10 == 0:
            self._each_second()
            close_late(self.server_state.connections, asyncio.get_running_loop().time())
        self.should_exit = self.should_exit or self._is_stopping()
        return await super().on_tick(counter)
