"""What dead processes left is published, or stays."""

from pathlib import Path

import pytest

from edge.publisher import ProducerFailed
from edge.spool.folder import make_folder
from edge.takeover import publish_abandoned
from tests.edge.test_publisher import TOPICS, Broker, filled


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool of a process that ended with 50 clicks unpublished."""
    folder = make_folder(tmp_path)
    filled(folder, 50)
    folder.close()
    return tmp_path


def never() -> bool:
    return False


def test_everything_is_published_and_the_folder_removed(spool: Path) -> None:
    broker = Broker(seed=1)
    assert publish_abandoned(spool, broker.open, TOPICS, never) == 50
    assert (sorted(broker.taken), [*spool.iterdir()]) == (list(range(50)), [])


def test_failure_keeps_what_is_not_published(spool: Path) -> None:
    broker = Broker(seed=1)
    broker.failing = 1.0
    with pytest.raises(ProducerFailed):
        publish_abandoned(spool, broker.open, TOPICS, never)
    assert [*spool.glob("*/*.segment")]
    broker.failing = 0.0
    publish_abandoned(spool, broker.open, TOPICS, never)
    assert (set(broker.taken), [*spool.iterdir()]) == (set(range(50)), [])


def test_stop_keeps_what_is_not_published(spool: Path) -> None:
    broker = Broker(seed=1)
    publish_abandoned(spool, broker.open, TOPICS, lambda: True)
    assert [*spool.glob("*/*.segment")]
    publish_abandoned(spool, broker.open, TOPICS, never)
    assert (set(broker.taken), [*spool.iterdir()]) == (set(range(50)), [])


def test_folder_of_a_running_process_is_left_alone(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    filled(folder, 5)
    broker = Broker(seed=1)
    assert publish_abandoned(tmp_path, broker.open, TOPICS, never) == 0
    assert [*tmp_path.glob("*/*.segment")]
    folder.close()
