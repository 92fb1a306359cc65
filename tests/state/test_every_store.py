"""What every store promises: the one in memory, the row files and RocksDB."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import UsageError
from runtime.records.packed_keys import PackedKeys
from runtime.state.in_memory import MemoryState
from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.matchers import MATCHERS
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import BEGINNING, PartitionStore, StateStore, exhaust
from tests.state.batches import a_batch, follow

Entries = list[tuple[bytes, bytes]]


class Shelf:
    """A state that can be closed and opened again in the same place."""

    def __init__(self, open_state: Callable[[], StateStore]) -> None:
        self._open_state = open_state
        self.state = open_state()

    def reopen(self) -> None:
        self.state.close()
        self.state = self._open_state()

    def store(self, partition: int = 0, changelog: str = "changelog") -> PartitionStore:
        return self.state.open(partition, changelog)


@pytest.fixture(params=["memory", *(f"row files, {matcher}" for matcher in MATCHERS), "RocksDB"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    memory = MemoryState()
    places: dict[str, Callable[[], StateStore]] = {
        "memory": lambda: memory,
        "RocksDB": lambda: RocksState(tmp_path / "rocks"),
    }
    for name, open_matcher in MATCHERS.items():
        places[f"row files, {name}"] = partial(RowFileState, tmp_path / "rows", open_matcher=open_matcher)
    opened = Shelf(places[request.param])
    yield opened
    opened.state.close()


def everything(store: PartitionStore) -> Entries:
    return list(store.scan(b""))


def test_a_new_store_is_empty_and_at_the_beginning(shelf: Shelf) -> None:
    store = shelf.store()

    assert store.position == BEGINNING
    assert store.get_many([b"key"]) == [None]
    assert (everything(store), store.scan_from(b"", 10), store.page(b"", 10)) == ([], [], ([], b""))


def test_values_come_in_the_order_in_which_they_were_asked_for(shelf: Shelf) -> None:
    store = shelf.store()
    store.write({b"a": b"1", b"b": b"2", b"c": b"3"}, 1)

    assert store.get_many([b"c", b"none", b"a", b"c"]) == [b"3", None, b"1", b"3"]
    assert store.get_many([]) == []


def test_keys_may_be_asked_for_end_to_end(shelf: Shelf) -> None:
    store = shelf.store()
    store.write({b"aa": b"1", b"cc": b"3"}, 1)
    keys = PackedKeys(b"ccxxaa", 2)
    assert [*keys] == [keys[0], *keys[1:]] == [b"cc", b"xx", b"aa"]
    assert store.get_many(keys) == [b"3", None, b"1"]
    assert store.get_many(PackedKeys(b"", 2)) == []


def test_a_write_replaces_and_deletes_and_leaves_the_rest(shelf: Shelf) -> None:
    store = shelf.store()
    store.write({b"a": b"1", b"b": b"2", b"c": b"3"}, 1)
    store.write({b"a": b"4", b"b": None, b"never there": None}, 2)

    assert store.get_many([b"a", b"b", b"c", b"never there"]) == [b"4", None, b"3", None]
    assert store.position == 2


def test_what_was_deleted_can_be_written_again(shelf: Shelf) -> None:
    store = shelf.store()
    for position, value in enumerate([b"1", None, b"2"]):
        store.write({b"a": value}, position)

    assert store.get_many([b"a"]) == [b"2"]


def test_a_write_may_move_the_position_only(shelf: Shelf) -> None:
    store = shelf.store()
    store.write({b"a": b"1"}, 1)
    store.write({}, 1_000_000_000_000)
    shelf.reopen()

    assert shelf.store().position == 1_000_000_000_000
    assert shelf.store().get_many([b"a"]) == [b"1"]


def test_keys_and_values_may_hold_any_bytes(shelf: Shelf) -> None:
    store = shelf.store()
    entries = {bytes([first, second]): bytes([second] * first) for first in (0, 1, 255) for second in (0, 127, 255)}
    store.write(entries, 1)
    shelf.reopen()

    assert dict(everything(shelf.store())) == entries


def test_scan_yields_all_keys_with_prefix_in_order(shelf: Shelf) -> None:
    store = shelf.store()
    keys = [b"b\x00", b"b", b"ba", b"a", b"c", b"b\xff\xff", b"aa"]
    store.write({key: key for key in keys}, 1)

    assert [key for key, _ in store.scan(b"b")] == [b"b", b"b\x00", b"ba", b"b\xff\xff"]
    assert [key for key, _ in store.scan(b"")] == sorted(keys)
    assert list(store.scan(b"d")) == []


def test_a_scan_from_a_key_has_as_many_as_asked_for(shelf: Shelf) -> None:
    store = shelf.store()
    store.write({bytes([number]): b"" for number in (1, 3, 5, 7)}, 1)

    assert [key for key, _ in store.scan_from(b"\x03", 2)] == [b"\x03", b"\x05"]
    assert [key for key, _ in store.scan_from(b"\x04", 9)] == [b"\x05", b"\x07"]
    assert [key for key, _ in store.scan_from(b"", 3)] == [b"\x01", b"\x03", b"\x05"]
    assert store.scan_from(b"\x08", 9) == store.scan_from(b"", 0) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1_000])
def test_pages_make_a_round_that_meets_everything_once(shelf: Shelf, limit: int) -> None:
    store = shelf.store()
    entries = {b"%03d" % number: b"%d" % number for number in range(100)}
    store.write(entries, 1)

    met: Entries = []
    cursor = b""
    while page := store.page(cursor, limit):
        met += page[0]
        cursor = page[1]
        if not cursor:
            break
    assert sorted(met) == sorted(entries.items())


@pytest.mark.parametrize(("one", "other"), [(0, 1), (255, 256), (256, 257), (1, 0xFFFE), (0xFFFD, 0xFFFE)])
def test_partitions_are_apart(shelf: Shelf, one: int, other: int) -> None:
    shelf.store(one).write({b"a": b"1", b"\xff" * 30: b"2"}, 7)
    shelf.store(other).write({b"a": b"3"}, 8)

    assert (shelf.store(one).position, shelf.store(other).position) == (7, 8)
    assert everything(shelf.store(other)) == [(b"a", b"3")]
    assert everything(shelf.store(one))[-2:] == [(b"a", b"1"), (b"\xff" * 30, b"2")]
    assert shelf.store(one).scan_from(b"b", 9) == [(b"\xff" * 30, b"2")]
    shelf.state.reset(one, "changelog")
    assert shelf.store(other).get_many([b"a"]) == [b"3"]
    assert everything(shelf.store(one)) == []


def test_what_was_written_is_there_after_opening_again(shelf: Shelf) -> None:
    model: dict[bytes, bytes] = {}
    for number in range(20):
        batch = {key: value for key, value in a_batch(number).items() if key}
        shelf.store().write(batch, number + 1)
        follow(model, batch)
        if number % 5 == 0:
            shelf.reopen()
    shelf.reopen()

    assert shelf.store().position == 20
    assert dict(everything(shelf.store())) == model


def test_a_reset_store_is_empty_and_stays_so(shelf: Shelf) -> None:
    shelf.store().write({b"a": b"1"}, 7)

    assert shelf.state.reset(0, "changelog").position == BEGINNING
    shelf.reopen()
    assert shelf.store().position == BEGINNING
    assert everything(shelf.store()) == []


def test_a_reset_store_can_be_written(shelf: Shelf) -> None:
    shelf.store().write({b"a": b"1", b"b": b"2"}, 7)
    shelf.state.reset(0, "changelog").write({b"b": b"3"}, 1)
    shelf.reopen()

    assert shelf.store().position == 1
    assert everything(shelf.store()) == [(b"b", b"3")]


@pytest.mark.parametrize("reopened", [False, True])
def test_the_copy_of_a_topic_that_was_made_anew_is_emptied(shelf: Shelf, reopened: bool) -> None:
    shelf.store(0, "cluster/old").write({b"a": b"1"}, 7)
    shelf.store(1, "cluster/old").write({b"a": b"2"}, 8)
    if reopened:
        shelf.reopen()

    store = shelf.store(0, "cluster/new")

    assert store.position == BEGINNING
    assert everything(store) == []
    assert shelf.store(1, "cluster/old").get_many([b"a"]) == [b"2"]


def test_a_released_partition_is_found_again_as_it_was(shelf: Shelf) -> None:
    shelf.store().write({b"a": b"1"}, 7)
    shelf.state.release(0)
    shelf.state.release(5)

    assert shelf.store().position == 7
    assert shelf.store().get_many([b"a"]) == [b"1"]


def test_a_store_that_was_opened_twice_sees_what_it_wrote(shelf: Shelf) -> None:
    shelf.store().write({b"a": b"1"}, 1)
    again = shelf.store()
    again.write({b"b": b"2"}, 2)

    assert shelf.store().get_many([b"a", b"b"]) == [b"1", b"2"]
    assert shelf.store().position == 2


def test_a_store_that_is_opened_step_by_step_is_the_same(shelf: Shelf) -> None:
    shelf.store().write({b"a": b"1"}, 7)
    shelf.reopen()
    shelf.state.open_in_steps(0, "changelog").close()

    store = exhaust(shelf.state.open_in_steps(0, "changelog"))

    assert (store.position, store.get_many([b"a"])) == (7, [b"1"])
    assert exhaust(shelf.state.open_in_steps(0, "another")).position == BEGINNING


def test_what_the_state_takes_is_told(shelf: Shelf) -> None:
    shelf.store(0).write({b"a": b"1", b"b": b"2"}, 1)
    shelf.store(1).write({b"a": b"1"}, 1)

    assert 3 <= shelf.state.size().keys <= 9  # RocksDB counts what it notes of a partition too


keys = st.binary(min_size=1, max_size=3)
batches = st.dictionaries(keys, st.none() | st.binary(max_size=3), max_size=6)
operations = st.lists(
    st.tuples(st.just("write"), st.integers(0, 1), batches)
    | st.tuples(st.just("reset"), st.integers(0, 1), st.none())
    | st.tuples(st.just("release"), st.integers(0, 1), st.none()),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=operations, asked=st.lists(keys, max_size=5), prefix=st.binary(max_size=2))
def test_it_is_a_dict_for_each_partition(
    shelf: Shelf, operations: list[tuple[str, int, dict[bytes, bytes | None] | None]], asked: list[bytes], prefix: bytes
) -> None:
    models: list[dict[bytes, bytes]] = [{}, {}]
    for partition in (0, 1):
        shelf.state.reset(partition, "changelog")
    for position, (operation, partition, batch) in enumerate(operations, start=1):
        if operation == "write":
            shelf.store(partition).write(batch or {}, position)
            follow(models[partition], batch or {})
        elif operation == "reset":
            shelf.state.reset(partition, "changelog")
            models[partition] = {}
        else:
            shelf.state.release(partition)
    for partition, model in enumerate(models):
        store = shelf.store(partition)
        assert store.get_many(asked) == [model.get(key) for key in asked]
        assert list(store.scan(prefix)) == sorted(item for item in model.items() if item[0].startswith(prefix))
        assert store.scan_from(prefix, 3) == sorted(item for item in model.items() if item[0] >= prefix)[:3]


@pytest.mark.parametrize("state", [RowFileState, RocksState])
def test_a_folder_that_is_in_use_is_told_with_what_to_do(state: Callable[[Path], StateStore], tmp_path: Path) -> None:
    first = state(tmp_path / "state")
    with pytest.raises(UsageError, match=r"in use by another process; give each worker .* LINK_ACTIONS_INSTANCE_ID"):
        state(tmp_path / "state")
    first.close()
    state(tmp_path / "state").close()


@pytest.mark.parametrize("state", [RowFileState, RocksState])
def test_a_place_that_can_hold_no_folder_is_told(state: Callable[[Path], StateStore], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(UsageError, match=r"The state in .*/file/state cannot be opened"):
        state(tmp_path / "file" / "state")
