"""Faults of a worker's state directory and of its changelog."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.chaos.disk import remount
from tests.chaos.kind import Kind
from tests.chaos.scene import Scene
from tests.chaos.worker_faults import leave
from tests.support.waiting import wait_until

PROGRESS = 500
"""Records that make a kept copy old."""


def damage(how: Callable[[Scene, list[Path]], None], scene: Scene, victim: str) -> bool:
    """SIGKILL in a transaction, and something happens to the files before the worker is back."""
    scene.catch(victim)
    was_open = scene.kill(victim)
    how(scene, sorted(path for path in scene.installation.state_of(victim).rglob("*") if path.is_file()))
    scene.start(victim)
    return was_open


def delete(_scene: Scene, files: list[Path]) -> None:
    """All files are gone."""
    for path in files:
        path.unlink()


def truncate(scene: Scene, files: list[Path]) -> None:
    """Some files end early."""
    for path in scene.chance.sample(files, k=(len(files) + 1) // 2):
        with path.open("rb+") as file:
            file.truncate(int(path.stat().st_size * scene.chance.random()))


def flip_bits(scene: Scene, files: list[Path]) -> None:
    """A few bits of each file are wrong."""
    for path in files:
        content = bytearray(path.read_bytes())
        for _ in range(3 if content else 0):
            content[scene.chance.randrange(len(content))] ^= 1 << scene.chance.randrange(8)
        path.write_bytes(content)


def put_back_old(scene: Scene, victim: str) -> bool:
    """A copy of the state that was kept earlier takes its place."""
    state, aside = scene.installation.state_of(victim), scene.installation.folder / "aside"
    leave(scene, victim)
    shutil.copytree(state, aside, dirs_exist_ok=True)
    scene.start(victim)
    scene.settle()
    before = scene.installation.total_committed()
    wait_until(lambda: scene.installation.total_committed() > before + PROGRESS, "further commits")
    scene.catch(victim)
    was_open = scene.kill(victim)
    scene.forget_state(victim)
    shutil.copytree(aside, state, dirs_exist_ok=True)
    shutil.rmtree(aside)
    scene.start(victim)
    return was_open


def fill_disk(scene: Scene, victim: str) -> bool:
    """The disk is full until the worker has met that."""
    worker, ballast = scene.workers[victim], scene.installation.state_of(victim) / "ballast"
    was_open = scene.catch(victim)
    with suppress(OSError), ballast.open("wb", buffering=0) as file:  # a buffer would be written once more at the end
        while True:
            file.write(bytes(1 << 16))
    worker.resume()
    wait_until(lambda: worker.probe("/readyz")[1].get("interrupted"), "full disk that is met")
    ballast.unlink()
    return was_open


def make_read_only(scene: Scene, victim: str) -> bool:
    """The worker comes back to a state directory that it may only read, says so and ends; then it may write again."""
    scene.catch(victim)
    was_open = scene.kill(victim)
    state = scene.installation.state_of(victim)
    remount(state, "ro")
    try:
        scene.start(victim).wait_exit()
    finally:
        remount(state, "rw")
    scene.revive()
    return was_open


def compact(scene: Scene, victim: str) -> bool:
    """The changelog is compacted under load, and the worker has to restore from what is left of it."""
    before = scene.compactions()
    wait_until(lambda: scene.compactions() > before, "compaction of the changelog")
    scene.catch(victim)
    was_open = scene.kill(victim)
    scene.forget_state(victim)
    scene.start(victim)
    return was_open


def _damaged(words: str, how: Callable[[Scene, list[Path]], None]) -> Kind:
    return Kind(f"state directory {words}", partial(damage, how))


KINDS = [
    _damaged("deleted", delete),
    _damaged("truncated", truncate),
    _damaged("with flipped bits", flip_bits),
    Kind("state directory older than what is committed", put_back_old),
    Kind("state directory on a full disk", fill_disk, needs_disk=True),
    Kind("state directory read-only", make_read_only, needs_disk=True),
    Kind("changelog compacted under load", compact),
]
