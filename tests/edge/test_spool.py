import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.spool.folder import LockedFolder, abandoned_folders, make_folder
from edge.spool.position import FILE, Position, PositionFile
from edge.spool.reader import SpoolReader
from edge.spool.record import HEADER, DamagedRecord, SpooledRecord, SpooledTopic, after_torn_record, encode, records_in
from edge.spool.scans import SCANS
from edge.spool.segment import segment_numbers, segment_path
from edge.spool.spool import Spool, SpoolFull, size_bytes
from tests.edge.spooled import Spooled, read_spool

SEGMENT = 4_096
LIMIT = 1 << 20


def decode(encoded: bytes) -> SpooledRecord:
    [(record, end)] = records_in(encoded)
    assert end == len(encoded)
    return record


def a_record(number: int, size: int = 100) -> SpooledRecord:
    return SpooledRecord(SpooledTopic.CLICKS, 1_700_000_000_000 + number, b"acme/%d" % number, b"v" * size)


def numbers(spooled: list[Spooled]) -> list[int]:
    return [int(each.record.key.partition(b"/")[2]) for each in spooled]


def has_room(spool: Spool, record: SpooledRecord) -> bool:
    try:
        spool.append(record)
    except SpoolFull:
        return False
    return True


@pytest.fixture
def folder(tmp_path: Path) -> LockedFolder:
    return make_folder(tmp_path / "spool")


@pytest.fixture
def spool(folder: LockedFolder) -> Spool:
    return Spool(folder, limit_bytes=LIMIT, segment_bytes=SEGMENT)


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=300), st.binary(max_size=300))
def test_round_trip(timestamp_ms: int, key: bytes, value: bytes) -> None:
    record = SpooledRecord(SpooledTopic.FORMS, timestamp_ms, key, value)
    assert decode(encode(record)) == record


@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(byte: int, bit: int) -> None:
    encoded = bytearray(encode(a_record(1)))
    encoded[byte % len(encoded)] ^= 1 << bit
    with pytest.raises(DamagedRecord):
        decode(bytes(encoded))


@given(st.integers(0))
def test_a_record_cut_short_is_unfinished(kept: int) -> None:
    encoded = encode(a_record(1))
    kept = kept % len(encoded)
    cut = encoded[:kept] + bytes(len(encoded) - kept)
    with suppress(DamagedRecord):
        assert list(records_in(cut)) == []
    assert after_torn_record(cut + bytes(50)).strip(b"\0") == b""


def test_records_come_back_in_order_over_several_segments(folder: LockedFolder, spool: Spool) -> None:
    for number in range(100):
        spool.append(a_record(number))

    assert len(segment_numbers(folder.path)) > 2
    assert numbers(read_spool(SpoolReader(folder), spool.end)) == list(range(100))


def test_a_reader_goes_on_where_it_stopped(folder: LockedFolder, spool: Spool) -> None:
    reader, seen = SpoolReader(folder), []
    for number in range(100):
        spool.append(a_record(number))
        if number % 7 == 0:
            seen += numbers(read_spool(reader, spool.end))

    assert seen + numbers(read_spool(reader, spool.end)) == list(range(100))
    assert read_spool(reader, spool.end) == []


def test_what_is_retired_is_not_read_again_and_its_segments_are_deleted(folder: LockedFolder, spool: Spool) -> None:
    for number in range(100):
        spool.append(a_record(number))
    reader = SpoolReader(folder)
    spooled = read_spool(reader, spool.end)
    reader.commit(spooled[60].next)
    reader.close()

    assert numbers(read_spool(SpoolReader(folder), spool.end)) == list(range(61, 100))
    assert segment_numbers(folder.path)[0] == spooled[60].next.segment


def test_rewinding_reads_from_the_first_record_that_is_not_retired(folder: LockedFolder, spool: Spool) -> None:
    for number in range(50):
        spool.append(a_record(number))
    reader = SpoolReader(folder)
    spooled = read_spool(reader, spool.end)
    reader.commit(spooled[9].next)
    reader.rewind()

    assert numbers(read_spool(reader, spool.end)) == list(range(10, 50))


def test_a_full_spool_refuses_and_takes_records_again_once_some_are_retired(folder: LockedFolder) -> None:
    spool = Spool(folder, limit_bytes=2 * SEGMENT, segment_bytes=SEGMENT)
    kept = 0
    while has_room(spool, a_record(kept)):
        kept += 1
    reader = SpoolReader(folder)
    spooled = read_spool(reader, spool.end)
    assert numbers(spooled) == list(range(kept))

    reader.commit(spooled[-1].next)
    spool.append(a_record(kept))

    assert numbers(read_spool(reader, spool.end)) == [kept]
    assert size_bytes(folder.path.parent) <= 2 * SEGMENT


def damage(path: Path, *, record: int) -> None:
    """Flip a bit in the body of a record."""
    raw = bytearray(path.read_bytes())
    raw[record * len(encode(a_record(1))) + HEADER.size + 30] ^= 1
    path.write_bytes(raw)


def test_a_damaged_record_ends_its_segment_and_the_file_is_set_aside(folder: LockedFolder, spool: Spool) -> None:
    for number in range(100):
        spool.append(a_record(number))
    first = segment_path(folder.path, 1)
    damage(first, record=5)
    reader = SpoolReader(folder)

    spooled = read_spool(reader, spool.end)
    assert first.exists(), "its first records are not published yet"
    reader.commit(spooled[-1].next)

    seen, in_first = numbers(spooled), SEGMENT // len(encode(a_record(1)))
    assert seen[:5] == [0, 1, 2, 3, 4]
    assert seen[5] in range(in_first - 1, in_first + 2)
    assert seen[-1] == 99
    assert reader.damaged == [first.with_name(first.name + ".damaged")]
    assert reader.damaged[0].exists()
    folder.remove_if_done()
    assert folder.path.exists()


@given(st.data())
def test_no_damage_is_passed_over_in_silence(data: st.DataObject) -> None:
    """Every record before the damage is read, and the file is kept if a record behind it is not."""
    with TemporaryDirectory() as root:
        folder = make_folder(Path(root))
        spool = Spool(folder, limit_bytes=LIMIT, segment_bytes=SEGMENT)
        records = list(range(100, 120))
        for number in records:
            spool.append(a_record(number))
        path, whole = segment_path(folder.path, 1), len(encode(a_record(100)))
        raw = bytearray(path.read_bytes())
        begin = data.draw(st.integers(0, 20 * whole - 1))
        if data.draw(st.booleans()):
            raw[begin] ^= 1 << data.draw(st.integers(0, 7))
        else:  # a page that never reached the disk
            raw[begin : begin + 100] = bytes(len(raw[begin : begin + 100]))
        is_tail = not raw[begin:].strip(b"\0")
        path.write_bytes(raw)
        folder.close()

        (left,) = abandoned_folders(Path(root))
        reader = SpoolReader(left)
        seen = numbers(read_spool(reader))
        reader.commit_all()

        assert seen[: begin // whole] == records[: begin // whole]
        assert seen == records or is_tail or len(reader.damaged) == 1
        reader.close()
        left.close()


def test_zeros_among_the_records_of_an_open_segment_are_damage(folder: LockedFolder, spool: Spool) -> None:
    for number in range(10):
        spool.append(a_record(number))
    path, whole = segment_path(folder.path, 1), len(encode(a_record(1)))
    raw = bytearray(path.read_bytes())
    raw[3 * whole : 4 * whole] = bytes(whole)
    path.write_bytes(raw)
    reader = SpoolReader(folder, spool.roll)

    assert numbers(read_spool(reader, spool.end)) == [0, 1, 2]
    spool.append(a_record(10))
    assert numbers(read_spool(reader, spool.end)) == [10]
    reader.commit(spool.end)
    assert len(reader.damaged) == 1


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "edge-notes").write_text("mine")
    (tmp_path / "edge-1-2").write_text("mine")
    (tmp_path / "lost+found").mkdir()
    dead = make_folder(tmp_path)
    spool = Spool(dead, limit_bytes=LIMIT, segment_bytes=SEGMENT)
    spool.append(a_record(1))
    foreign = [dead.path / name for name in ("notes.txt", "7.segment", "000000000009.segment.bak")]
    for path in foreign:
        path.write_text("mine")
    (dead.path / "000000000005.segment").mkdir()
    dead.close()

    (left,) = abandoned_folders(tmp_path)
    assert numbers(read_spool(SpoolReader(left))) == [1]
    left.remove_if_done()

    assert [path.read_text() for path in foreign] == ["mine"] * 3
    assert not (left.path / "000000000001.segment").exists()


def test_a_folder_is_locked_before_another_process_can_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[LockedFolder]] = []
    mkdir = Path.mkdir

    def make_and_look(path: Path, *given: Any, **named: Any) -> None:
        mkdir(path, *given, **named)
        seen.append(list(abandoned_folders(tmp_path)))

    monkeypatch.setattr(Path, "mkdir", make_and_look)
    make_folder(tmp_path)
    assert seen == [[], []]


def test_a_segment_that_is_left_is_synced_too(
    folder: LockedFolder, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name))
    while len(segment_numbers(folder.path)) < 3:
        spool.append(a_record(1))
    spool.sync()
    spool.sync()
    assert [int(name.partition(".")[0]) for name in synced] == [1, 2, 3, 3]


def test_a_position_that_cannot_be_read_counts_as_the_beginning(folder: LockedFolder) -> None:
    file = PositionFile(folder.path)
    file.write(Position(3, 77))
    assert file.read() == Position(3, 77)
    for damaged in (b"", b"short", b"\xff" * 20):
        (folder.path / FILE).write_bytes(damaged)
        assert file.read() == Position()


def test_only_folders_of_ended_processes_are_taken_over(tmp_path: Path) -> None:
    alive, dead = make_folder(tmp_path), make_folder(tmp_path)
    dead.close()

    taken = list(abandoned_folders(tmp_path))

    assert [each.path for each in taken] == [dead.path]
    assert list(abandoned_folders(tmp_path)) == []
    taken[0].remove_if_done()
    assert not dead.path.exists()
    assert alive.path.exists()


def test_files_are_for_their_owner_only(folder: LockedFolder, spool: Spool) -> None:
    spool.append(a_record(1))
    SpoolReader(folder).commit(spool.end)
    for path in (folder.path, *folder.path.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


WRITER = """
import sys
from contextlib import suppress
from pathlib import Path
from edge.spool.folder import make_folder
from edge.spool.spool import Spool
from tests.edge.test_spool import a_record
spool = Spool(make_folder(Path(sys.argv[1])), limit_bytes=1 << 30, segment_bytes=1 << 16)
for number in range(10**9):
    spool.append(a_record(number))
    print(number, flush=True)
"""


def test_what_was_answered_outlives_the_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        answered = [int(next(writer.stdout)) for _ in range(3_000)]
        writer.send_signal(signal.SIGKILL)
        answered += [int(line) for line in writer.stdout.read().splitlines() if line]

    (left,) = abandoned_folders(tmp_path)
    found = numbers(read_spool(SpoolReader(left)))

    assert found[: len(answered)] == answered
    assert len(found) - len(answered) <= 1


def test_its_limit_is_told(folder: LockedFolder) -> None:
    with pytest.raises(SpoolFull, match=f"limit of {SEGMENT - 1} bytes"):
        Spool(folder, limit_bytes=SEGMENT - 1, segment_bytes=SEGMENT).append(a_record(1))


def test_a_disk_that_fails_refuses_the_record(
    folder: LockedFolder, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(SpoolFull, match="No space left"):
        spool.append(a_record(1))
    assert segment_numbers(folder.path) == []


def test_disk_that_refuses_is_not_asked_by_each_record(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full tmpfs takes 10 ms to refuse 64 MiB, and the event loop waits for it."""
    asked: list[int] = []

    def fail(_file: int, _offset: int, size: int) -> None:
        asked.append(size)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    for _ in range(5):
        with pytest.raises(SpoolFull, match="No space left"):
            spool.append(a_record(1))
    with pytest.raises(SpoolFull, match="No space left"):
        spool.prepare()
    assert len(asked) == 2
    monkeypatch.undo()
    spool.prepare()
    spool.append(a_record(1))


def test_reader_never_sees_a_segment_that_the_disk_refuses(
    folder: LockedFolder, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold on to the deleted file, and miss what is written to the next one of that number."""
    spool.append(a_record(0))
    reader, allocate = SpoolReader(folder), os.posix_fallocate
    seen: list[Spooled] = []

    def fail_while_reading(file: int, offset: int, size: int) -> None:
        if seen:
            allocate(file, offset, size)
            return
        spool._close_segment()
        seen.extend(read_spool(reader, spool.end))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail_while_reading)
    spool.roll()
    with pytest.raises(SpoolFull, match="No space left"):
        spool.append(a_record(1))
    spool.prepare()
    for number in range(2, 5):
        spool.append(a_record(number))
        seen.extend(read_spool(reader, spool.end))
    assert numbers(seen) == [0, 2, 3, 4]


def test_segment_that_was_never_finished_is_no_reason_to_keep_a_folder(folder: LockedFolder) -> None:
    (folder.path / "000000000001.segment.new").touch()
    assert segment_numbers(folder.path) == []
    folder.remove_if_done()
    assert not folder.path.exists()


def test_a_record_written_in_part_is_not_read_after_a_crash(
    folder: LockedFolder, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(a_record(0))
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, raw, offset: whole(file, raw[:50], offset))
    with pytest.raises(SpoolFull, match="refuses writes"):
        spool.append(a_record(1, size=300))
    monkeypatch.undo()
    spool.append(a_record(2, size=0))

    reader = SpoolReader(folder)

    assert numbers(read_spool(reader)) == [0, 2]
    assert reader.damaged == []


@given(
    st.lists(st.binary(max_size=40) | st.binary(min_size=300, max_size=400), max_size=8),
    st.binary(max_size=4),
    st.integers(0, 600),
    st.integers(1, 6),
)
def test_scans_find_alike(values: list[bytes], piece: bytes, place: int, count: int) -> None:
    """Also in a buffer that is damaged or cut off anywhere."""
    written = b"".join(encode(SpooledRecord(SpooledTopic.FORMS, number, b"k", v)) for number, v in enumerate(values))
    damaged = written[:place] + piece + written[place + len(piece) :]
    for buffer in (written, written + bytes(50), damaged, written[:place]):
        found = [scan(buffer, count) for scan in SCANS.values()]
        assert all(each == found[0] for each in found)
        assert all(type(record) is SpooledRecord for records, _, _ in found for record in records)
