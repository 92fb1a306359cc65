"""What RocksDB does of its own when its disk or its files go bad."""

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import Unavailable
from runtime.ports import RetriableError
from runtime.state.rocksdb import RocksState
from runtime.state.store import BEGINNING
from tests.support.patience import stretched

FULL = """
import resource, sys
from pathlib import Path
from runtime.state.rocksdb import RocksState
from runtime.ports import RetriableError

state = RocksState(Path(sys.argv[1]))
store = state.open(3, "changelog")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    while True:
        number = store.position
        store.write({b"%d/%d" % (number, key): bytes(4_000) for key in range(250)}, number + 1)
except RetriableError as error:
    assert store.position == number, "the position moved without its entries"
    assert store.get_many([b"%d/0" % number]) == [None], "half a batch was kept"
    print(error)
    state.close()
"""


def test_failed_write_raises_and_stores_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False, timeout=stretched(60)
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the state could not be written: ")
    assert "state.unflushed" in done.stdout
    assert RocksState(tmp_path).open(3, "changelog").position == 0


def test_a_damaged_database_is_thrown_away_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = RocksState(tmp_path)
    state.open(0, "changelog").write({b"a": b"1"}, 1)
    state.close()
    (tmp_path / "CURRENT").write_bytes(b"garbage")

    state = RocksState(tmp_path)

    assert state.open(0, "changelog").position == BEGINNING
    said = capsys.readouterr()
    assert "state.rebuilt" in said.out + said.err  # where log lines go is whoever configured them last
    state.close()


def test_a_scan_over_a_broken_block_is_no_end_of_the_entries(tmp_path: Path) -> None:
    state = RocksState(tmp_path)
    state.open(0, "changelog").write({b"%020d" % number: bytes(10) for number in range(5_000)}, 1)
    state.close()
    (table,) = tmp_path.glob("*.sst")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    state = RocksState(tmp_path)
    store = state.open(0, "changelog")

    with pytest.raises(Unavailable, match=r"damaged .*; start again, and it is rebuilt"):
        list(store.scan(b""))

    state.close()
    state = RocksState(tmp_path)
    assert state.open(0, "changelog").position == BEGINNING
    state.close()


def test_writing_into_a_closed_database_is_no_crash(tmp_path: Path) -> None:
    state = RocksState(tmp_path)
    store = state.open(0, "changelog")
    state.close()

    with pytest.raises(RetriableError, match="could not be written"):
        store.write({b"a": b"1"}, 1)
