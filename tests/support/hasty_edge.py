"""An edge with a planted bug: it answers before it keeps the click."""

import asyncio

from cli.app import main
from edge import recorder
from edge.exchange import RecordedClick
from edge.recorder import Recorder, Recording

LATE_SECONDS = 0.05
_kept: set[asyncio.Task[object]] = set()


class HastyRecorder(Recorder):
    """Keeps a click some time after its answer."""

    def __call__(self, click: RecordedClick) -> Recording:
        task = asyncio.ensure_future(self._record_late(click))
        _kept.add(task)
        task.add_done_callback(_kept.discard)
        return Recording.RECORDED

    async def _record_late(self, click: RecordedClick) -> None:
        await asyncio.sleep(LATE_SECONDS)
        super().__call__(click)


if __name__ == "__main__":
    from edge import app

    recorder.Recorder = app.Recorder = HastyRecorder  # type: ignore[attr-defined,misc]
    main()
