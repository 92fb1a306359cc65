"""The contents of a spool, while other processes make and remove folders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.spool.folder import make_folder
from edge.spool.inventory import contents_of, oldest_ms
from edge.spool.position import PositionFile
from edge.spool.segment import segment_path
from edge.spool.spool import Spool, size_bytes

LOOKS = 1_500


@contextmanager
def others_come_and_go(spool: Path) -> Iterator[None]:
    """Another process's folders appear and vanish all the time."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            folder = make_folder(spool)
            PositionFile(folder.path).close()
            segment_path(folder.path, 1).touch()
            folder.remove_if_done()
            folder.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_folders_may_vanish_while_they_are_looked_at(tmp_path: Path) -> None:
    own = make_folder(tmp_path)
    with others_come_and_go(tmp_path):
        for _ in range(LOOKS):
            assert size_bytes(tmp_path) == 0
            assert oldest_ms(tmp_path, without=own.path) is None
            assert sum(each.records for each in contents_of(tmp_path)) == 0


def test_a_vanishing_folder_is_no_full_disk(tmp_path: Path) -> None:
    own = make_folder(tmp_path)
    with others_come_and_go(tmp_path):
        for _ in range(LOOKS):
            spool = Spool(own, limit_bytes=1 << 20, segment_bytes=1 << 12)
            spool.prepare()
            spool.close()
            for path in own.path.glob("*.segment"):
                path.unlink()
