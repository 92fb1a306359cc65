"""An edge that commits each click to a database before it answers, and a relay: `python -m bench.edge.on_database`.

SQLite in the same process is the cheapest database there is; like the spool it survives a kill and not a power cut.
"""

import os
import sqlite3
import time
from pathlib import Path
from threading import Thread

from confluent_kafka import Producer

from bench.edge.topic import CLICKS
from cli.app import main
from edge import app
from edge.exchange import RecordedClick
from edge.recorder import Recorder, Recording

_TABLE = "CREATE TABLE IF NOT EXISTS clicks (id INTEGER PRIMARY KEY, key BLOB, value BLOB)"
_CONFIG = {"partitioner": "murmur2_random", "enable.idempotence": True, "message.timeout.ms": 0}
_BATCH = 2_000
_IDLE_SECONDS = 0.02


class DatabaseRecorder(Recorder):
    """Inserts each click, and relays the table on a thread."""

    def __init__(self, *arguments: object, **named: object) -> None:
        """Open the table; none of the arguments is needed."""
        del arguments, named
        self._database = _open()
        Thread(target=_relay, daemon=True).start()

    def __call__(self, click: RecordedClick) -> Recording:
        """Record a click."""
        for record in click.records:
            self._database.execute("INSERT INTO clicks (key, value) VALUES (?, ?)", (record.key, record.value))
        return Recording.RECORDED

    def probe(self) -> None:
        """Do nothing: there is no spool to try."""


def _open() -> sqlite3.Connection:
    """Open the database, in which each statement is a separate transaction."""
    path = Path(os.environ["LINK_ACTIONS_STATE_DIR"]) / "clicks.sqlite"
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", _TABLE):
        database.execute(statement)
    return database


def _relay() -> None:
    """Publish what is in the table and delete it, without end."""
    database = _open()
    producer = Producer({"bootstrap.servers": os.environ["LINK_ACTIONS_BOOTSTRAP_SERVERS"], **_CONFIG})
    while True:
        rows = database.execute("SELECT id, key, value FROM clicks ORDER BY id LIMIT ?", (_BATCH,)).fetchall()
        for _, key, value in rows:
            producer.produce(CLICKS, value, key)
        producer.flush()
        if rows:
            database.execute("DELETE FROM clicks WHERE id <= ?", (rows[-1][0],))
        else:
            time.sleep(_IDLE_SECONDS)


if __name__ == "__main__":
    app.Recorder = DatabaseRecorder  # type: ignore[attr-defined]
    main()
