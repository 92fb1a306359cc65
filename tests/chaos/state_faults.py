"""Faults of a worker's state directory and of its changelog."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.chaos.disk import remount
from tests.chaos.environment import Environment
from tests.chaos.kind import Kind
from tests.chaos.worker_faults import leave
from tests.support.waiting import wait_until

PROGRESS = 500
"""Records that make a kept copy old."""


def damage(how: Callable[[Environment, list[Path]], None], environment: Environment, victim: str) -> bool:
    """SIGKILL in a transaction, and something happens to the files before the worker is back."""
    environment.catch(victim)
    was_open = environment.kill(victim)
    how(environment, sorted(path for path in environment.deployment.state_of(victim).rglob("*") if path.is_file()))
    environment.start(victim)
    return was_open


def delete(_environment: Environment, files: list[Path]) -> None:
    """All files are gone."""
    for path in files:
        path.unlink()


def truncate(environment: Environment, files: list[Path]) -> None:
    """Some files end early."""
    for path in environment.chance.sample(files, k=(len(files) + 1) // 2):
        with path.open("rb+") as file:
            file.truncate(int(path.stat().st_size * environment.chance.random()))


def flip_bits(environment: Environment, files: list[Path]) -> None:
    """A few bits of each file are wrong."""
    for path in files:
        content = bytearray(path.read_bytes())
        for _ in range(3 if content else 0):
            content[environment.chance.randrange(len(content))] ^= 1 << environment.chance.randrange(8)
        path.write_bytes(content)


def put_back_old(environment: Environment, victim: str) -> bool:
    """A copy of the state that was kept earlier takes its place."""
    state, aside = environment.deployment.state_of(victim), environment.deployment.folder / "aside"
    leave(environment, victim)
    shutil.copytree(state, aside, dirs_exist_ok=True)
    environment.start(victim)
    environment.settle()
    before = environment.deployment.total_committed()
    wait_until(lambda: environment.deployment.total_committed() > before + PROGRESS, "further commits")
    environment.catch(victim)
    was_open = environment.kill(victim)
    environment.forget_state(victim)
    shutil.copytree(aside, state, dirs_exist_ok=True)
    shutil.rmtree(aside)
    environment.start(victim)
    return was_open


def fill_disk(environment: Environment, victim: str) -> bool:
    """The disk is full until the worker has met that."""
    worker, ballast = environment.workers[victim], environment.deployment.state_of(victim) / "ballast"
    was_open = environment.catch(victim)
    with suppress(OSError), ballast.open("wb", buffering=0) as file:  # a buffer would be written once more at the end
        while True:
            file.write(bytes(1 << 16))
    worker.resume()
    wait_until(lambda: worker.probe("/readyz")[1].get("interrupted"), "full disk that is met")
    ballast.unlink()
    return was_open


def make_read_only(environment: Environment, victim: str) -> bool:
    """The worker comes back to a state directory that it may only read, says so and ends; then it may write again."""
    environment.catch(victim)
    was_open = environment.kill(victim)
    state = environment.deployment.state_of(victim)
    remount(state, "ro")
    try:
        environment.start(victim).wait_exit()
    finally:
        remount(state, "rw")
    environment.revive()
    return was_open


def compact(environment: Environment, victim: str) -> bool:
    """The changelog is compacted under load, and the worker has to restore from what is left of it."""
    before = environment.compactions()
    wait_until(lambda: environment.compactions() > before, "compaction of the changelog")
    environment.catch(victim)
    was_open = environment.kill(victim)
    environment.forget_state(victim)
    environment.start(victim)
    return was_open


def _damaged(words: str, how: Callable[[Environment, list[Path]], None]) -> Kind:
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
