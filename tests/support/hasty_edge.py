"""An edge with a planted bug: it answers before it keeps the click."""

import asyncio

from cli.app import main
from edge import recorder
from edge.exchange import Answer, RecordedClick
from edge.recorder import Recorder, Recording

LATE_SECONDS = 0.05
_kept: set[asyncio.Task[object]] = set()


class HastyRecorder(Recorder):
    """Keeps a click some time after its answer."""

    async def __call__(self, answer: Answer, click: RecordedClick) -> tuple[Answer, Recording]:
        task = asyncio.ensure_future(self._keep_late(answer, click))
        _kept.add(task)
        task.add_done_callback(_kept.discard)
        return answer, Recording.RECORDED

    async def _keep_late(self, answer: Answer, click: RecordedClick) -> None:
        await asyncio.sleep(LATE_SECONDS)
        await super().__call__(answer, click)


if __name__ == "__main__":
    from edge import app

    recorder.Recorder = app.Recorder = HastyRecorder  # type: ignore[attr-defined,misc]
    main()
