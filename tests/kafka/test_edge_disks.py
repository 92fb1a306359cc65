"""An edge on a disk that is full, one that fails while it is used, and one with a damaged segment."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.kafka import Broker
from tests.builders import a_link, an_action
from tests.kafka.test_edge import a_path, an_edge, clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.disks import MortalDisk, NoDisk, SmallDisk, mortal_disk, small_disk
from tests.support.edge import EdgeProcess, link_path
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

NO_BROKER = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
CLICKS = 100
Disk = TypeVar("Disk")


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(a_link(), a_link(an_action(), link_id="news"))
    yield deployment
    deployment.close()


@pytest.fixture
def mounts() -> Iterator[ExitStack]:
    with ExitStack() as mounts:
        yield mounts


def mounted(mounts: ExitStack, make: Callable[[], AbstractContextManager[Disk]]) -> Disk:
    try:
        return mounts.enter_context(make())
    except NoDisk as reason:
        pytest.skip(f"this test mounts a disk: {reason}")


def on_disk(deployment: Deployment, folder: Path, **settings: str) -> EdgeProcess:
    spool = {"LINK_ACTIONS_EDGE_SPOOL_DIR": str(folder), "LINK_ACTIONS_EDGE_SPOOL_LIMIT": "128 MiB"}
    return an_edge(deployment, settings={**spool, **settings}).wait_edge()


def has_read_links(deployment: Deployment) -> None:
    """From now on an edge starts without a broker."""
    edge = an_edge(deployment).wait_edge()
    assert edge.get(a_path(1)).status == 302
    assert edge.stop() == 0


def click_id(edge: EdgeProcess, path: str) -> tuple[int, str | None]:
    answer = edge.get(path)
    return answer.status, answer.headers["Link-Actions-Click"]


def ids_in_topic(deployment: Deployment) -> set[str]:
    return {click["click_id"] for click in clicks_in_topic(deployment)}


def test_full_disk(deployment: Deployment, tmp_path: Path, mounts: ExitStack) -> None:
    """No broker either: redirects go on, nothing says that something was done; a disk with room is used again."""
    disk: SmallDisk = mounted(mounts, lambda: small_disk(tmp_path / "disk", 16))
    has_read_links(deployment)
    edge = an_edge(
        deployment,
        settings={**NO_BROKER, "LINK_ACTIONS_EDGE_SPOOL_DIR": str(disk.folder)},
    )
    wait_until(lambda: edge.probe("/livez")[0] == 200 and edge.events("edge.started"), "running edge")
    assert click_id(edge, a_path(1)) == (302, None)
    assert click_id(edge, link_path("news", "r-2")) == (503, None)
    status, answer = edge.probe("/readyz")
    assert (status, "No space left" in answer["interrupted"]) == (503, True)
    assert edge.metrics()["edge_clicks_total", "unrecorded"] == 2
    disk.grow(96)
    edge.wait_event("spool.recovered")
    recorded = [click_id(edge, link_path("news", f"r-{number}"))[1] for number in range(3)]
    assert edge.probe("/readyz")[0] == 200
    edge.kill()
    last = on_disk(deployment, disk.folder)
    wait_until(lambda: last.events("spool.taken_over"), "takeover")
    assert last.stop() == 0
    assert None not in recorded
    assert set(recorded) <= ids_in_topic(deployment)


def test_failing_disk(deployment: Deployment, tmp_path: Path, mounts: ExitStack) -> None:
    """Each click answered as done is in the topic: by way of the disk before it fails, past it afterwards."""
    disk: MortalDisk = mounted(mounts, lambda: mortal_disk(tmp_path / "disk"))
    edge = on_disk(deployment, disk.folder, LINK_ACTIONS_EDGE_SYNC="power")
    answers = [click_id(edge, link_path("news", f"r-{number}")) for number in range(CLICKS)]
    assert {status for status, _ in answers} == {302}
    disk.die()
    answers += [click_id(edge, link_path("news", f"r-{number}")) for number in range(CLICKS)]
    assert all((status, recorded is None) in {(302, False), (503, True)} for status, recorded in answers)
    assert edge.events("spool.refused")
    assert edge.probe("/readyz")[0] == 503
    assert answers[-1][0] == 302
    wait_until(lambda: {each for _, each in answers if each} <= ids_in_topic(deployment), "all that was answered")
    assert edge.stop() in {0, 3}


def test_damaged_segment(deployment: Deployment) -> None:
    """Records before the damage are published; the file is kept, and counted."""
    has_read_links(deployment)
    edge = an_edge(deployment, settings=NO_BROKER).wait_edge()
    ids = [click_id(edge, a_path(number))[1] for number in range(CLICKS)]
    edge.kill()
    (segment,) = (deployment.folder / "spool").glob("edge-*/*.segment")
    content = bytearray(segment.read_bytes())
    damaged = content.index(str(ids[CLICKS // 2]).encode())
    content[damaged] ^= 1
    segment.write_bytes(content)
    last = an_edge(deployment).wait_edge()
    line = last.wait_event("spool.damaged")
    assert last.metrics()["edge_spool_damaged_files",] == 1
    assert last.stop() == 0
    assert set(ids) & ids_in_topic(deployment) == set(ids[: CLICKS // 2])
    kept = Path(line["file"])
    assert kept.name.endswith(".segment.damaged")
    assert all(str(each).encode() in kept.read_bytes() for each in ids[CLICKS // 2 + 1 :])
