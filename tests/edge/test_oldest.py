"""The age of the oldest unpublished record counts what dead processes left, too."""

from pathlib import Path

from edge.spool.folder import make_folder
from edge.spool.inventory import oldest_ms
from edge.spool.reader import SpoolReader
from tests.edge.spooled import read_spool
from tests.edge.test_publisher import filled


def test_oldest_record_of_other_folders(tmp_path: Path) -> None:
    own, other = make_folder(tmp_path), make_folder(tmp_path)
    filled(own, 3)
    spool = filled(other, 40)
    reader = SpoolReader(other)
    records = read_spool(reader, spool.end)
    assert oldest_ms(tmp_path, without=own.path) == records[0].record.timestamp_ms
    reader.commit(records[9].next)
    assert oldest_ms(tmp_path, without=own.path) == records[10].record.timestamp_ms
    reader.commit(records[-1].next)
    assert oldest_ms(tmp_path, without=own.path) is None
    reader.close()


def test_empty_spool_has_no_oldest_record(tmp_path: Path) -> None:
    assert oldest_ms(tmp_path, without=tmp_path) is None
