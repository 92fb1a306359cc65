"""The row file against a dict, through every order of writes, deletes, crashes and reopenings that Hypothesis finds."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runtime.records.implementation import PYTHON
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.matchers import MATCHERS, best_matcher
from runtime.state.rowfile.row import ROW_BYTES
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import BEGINNING
from tests.state.batches import follow

SOON = Compaction(min_dead_rows=12, per_write=3, per_row=1)
KEYS = st.one_of(
    st.integers(0, 9).map(lambda number: number.to_bytes(20, "big")),
    st.integers(0, 3).map(lambda number: number.to_bytes(16, "big")),
    st.integers(0, 3).map(lambda number: number.to_bytes(28, "big")),
    st.sampled_from([b"", b"\x00partitions", bytes(38), bytes(39), bytes(40), b"x" * 300]),
)
VALUES = st.one_of(
    st.binary(min_size=9, max_size=10),
    st.none(),
    st.sampled_from([4, 13, 14, 22, 23, 25, 26, 42, 43, 260, 5_000]).flatmap(
        lambda size: st.binary(min_size=1, max_size=1).map(lambda byte: byte * size)
    ),
)
BATCHES = st.dictionaries(KEYS, VALUES, max_size=12)


class RowFileMachine(RuleBasedStateMachine):
    matcher = best_matcher()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[bytes, bytes] = {}
        self.position = BEGINNING
        self.open()

    def open(self) -> None:
        self.state = RowFileState(self.folder, compaction=SOON, open_matcher=MATCHERS[self.matcher])
        self.store = self.state.open(0, "changelog")

    def teardown(self) -> None:
        self.state.close()
        shutil.rmtree(self.folder)

    @rule(batch=BATCHES)
    def write(self, batch: dict[bytes, bytes | None]) -> None:
        self.position += 1
        self.store.write(batch, self.position)
        follow(self.model, batch)

    @rule(keys=st.lists(KEYS, max_size=8))
    def look_up(self, keys: list[bytes]) -> None:
        assert self.store.get_many(keys) == [self.model.get(key) for key in keys]

    @rule(prefix=st.one_of(KEYS, st.binary(max_size=2)))
    def scan(self, prefix: bytes) -> None:
        wanted = sorted((key, value) for key, value in self.model.items() if key.startswith(prefix))
        assert list(self.store.scan(prefix)) == wanted

    @rule(start=KEYS, limit=st.integers(0, 9))
    def scan_from(self, start: bytes, limit: int) -> None:
        wanted = sorted((key, value) for key, value in self.model.items() if key >= start)
        assert self.store.scan_from(start, limit) == wanted[:limit]

    @rule(limit=st.integers(1, 5), batches=st.lists(BATCHES, max_size=4))
    def go_round_while_writing(self, limit: int, batches: list[dict[bytes, bytes | None]]) -> None:
        lasting, met, cursor = set(self.model), set[bytes](), b""
        while True:
            page, cursor = self.store.page(cursor, limit)
            assert all(self.model[key] == value for key, value in page)
            met |= {key for key, _ in page}
            if not cursor:
                break
            if batches:
                self.write(batches.pop())
                lasting &= set(self.model)
        assert met >= lasting

    @rule()
    def reopen(self) -> None:
        self.state.close()
        self.open()

    @rule()
    def leave_and_return(self) -> None:
        self.state.release(0)
        self.store = self.state.open(0, "changelog")

    @rule(batch=BATCHES, share=st.floats(0, 1))
    def crash_while_writing(self, batch: dict[bytes, bytes | None], share: float) -> None:
        """Cut what the write added to the newest file; the older file is still there, as before an unlink."""
        before = {path.name: path.read_bytes() for path in self.files()}
        newest, end = self.newest()
        self.store.write(batch, self.position + 1)
        path, new_end = self.newest()
        start = end if path == newest else 0
        written = path.read_bytes()
        cut = start + round(share * (new_end - start))
        self.state.close()
        for name, content in before.items():
            (path.parent / name).write_bytes(content)
        path.write_bytes(written[:cut].ljust(len(written), b"\x00"))
        self.open()
        assert self.store.position in (self.position, self.position + 1)
        if self.store.position > self.position:
            self.position += 1
            follow(self.model, batch)

    @invariant()
    def is_the_same(self) -> None:
        assert self.store.position == self.position
        assert dict(self.store.scan(b"")) == self.model

    def files(self) -> list[Path]:
        return list((self.folder / "partition-0").iterdir())

    def newest(self) -> tuple[Path, int]:
        segment = self.store._files.newest
        return segment.path, segment.end * ROW_BYTES


class NumpyMachine(RowFileMachine):
    matcher = PYTHON


TestRowFile, TestRowFileInNumpy = RowFileMachine.TestCase, NumpyMachine.TestCase
TestRowFile.settings = TestRowFileInNumpy.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
