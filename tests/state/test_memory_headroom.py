"""What is told of memory that runs out, on machines and in containers of both kinds."""

import resource
from pathlib import Path

import pytest

from runtime.errors import ExitCode, Unavailable
from runtime.state.memory_headroom import MemoryHeadroom

MB = 1_000_000


def a_machine(root: Path, *, total: int = 10_000 * MB, free: int = 8_000 * MB, groups: str = "") -> Path:
    write(root / "proc/meminfo", f"MemTotal: {total // 1024} kB\nMemAvailable:    {free // 1024} kB\nHugePages: 0\n")
    write(root / "proc/self/cgroup", groups)
    return root


def a_group(folder: Path, *, limit: str, used: int, cached: int = 0) -> None:
    write(folder / "memory.max", limit)
    write(folder / "memory.current", str(used))
    write(folder / "memory.stat", f"anon 1\nactive_file {cached // 2}\ninactive_file {cached // 2}\n")


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def is_refused(root: Path, wanted: int) -> bool:
    try:
        MemoryHeadroom(root).require(wanted)
    except Unavailable:
        return True
    return False


def test_a_twentieth_of_the_machine_is_kept_free(tmp_path: Path) -> None:
    a_machine(tmp_path)
    assert not is_refused(tmp_path, 7_499 * MB)
    assert is_refused(tmp_path, 7_501 * MB)


def test_a_container_has_what_its_limit_leaves_and_file_pages_count_as_free(tmp_path: Path) -> None:
    a_machine(tmp_path, groups="0::/\n")
    a_group(tmp_path / "sys/fs/cgroup", limit=str(1_000 * MB), used=900 * MB, cached=400 * MB)
    assert not is_refused(tmp_path, 449 * MB)
    assert is_refused(tmp_path, 451 * MB)


def test_the_groups_around_a_group_count_too(tmp_path: Path) -> None:
    a_machine(tmp_path, groups="0::/pod/worker\n")
    a_group(tmp_path / "sys/fs/cgroup/pod/worker", limit="max", used=1)
    a_group(tmp_path / "sys/fs/cgroup/pod", limit=str(1_000 * MB), used=900 * MB)
    assert not is_refused(tmp_path, 49 * MB)
    assert is_refused(tmp_path, 51 * MB)


def test_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    a_machine(tmp_path, groups="5:cpu:/\n4:memory,hugetlb:/docker/abc\n")
    folder = tmp_path / "sys/fs/cgroup/memory"
    write(folder / "memory.limit_in_bytes", str(1_000 * MB))
    write(folder / "memory.usage_in_bytes", str(900 * MB))
    write(folder / "memory.stat", f"inactive_file 1\ntotal_inactive_file {100 * MB}\ntotal_active_file 0\n")
    assert not is_refused(tmp_path, 149 * MB)
    assert is_refused(tmp_path, 151 * MB)


@pytest.mark.parametrize("limit", ["max", str(2**63 - 4096), "what a later kernel says"])
def test_a_group_without_a_limit_refuses_nothing(tmp_path: Path, limit: str) -> None:
    a_machine(tmp_path, groups="0::/\n")
    a_group(tmp_path / "sys/fs/cgroup", limit=limit, used=900 * MB)
    assert not is_refused(tmp_path, 7_000 * MB)


def test_where_nothing_is_told_nothing_is_refused(tmp_path: Path) -> None:
    assert not is_refused(tmp_path, 1 << 60)


def test_nothing_is_refused_without_file_descriptors(tmp_path: Path) -> None:
    """Otherwise a worker that may open no more files would end, instead of retrying until it may."""
    a_machine(tmp_path, free=0)
    headroom = MemoryHeadroom(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        headroom.require(MB)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_the_refusal_says_what_is_left_and_what_to_do(tmp_path: Path) -> None:
    a_machine(tmp_path, free=600 * MB)
    with pytest.raises(Unavailable, match=r"needs 200 MB more .* 600 MB of 10,000 MB are left") as refused:
        MemoryHeadroom(tmp_path).require(200 * MB)
    assert "LINK_ACTIONS_STATE_STORE=rocksdb" in str(refused.value)
    assert refused.value.exit_code == ExitCode.UNAVAILABLE


def test_this_machine_has_room_for_a_megabyte_and_none_for_an_exabyte() -> None:
    MemoryHeadroom().require(MB)
    with pytest.raises(Unavailable):
        MemoryHeadroom().require(1 << 60)
