"""Real disks that are full, or fail while they are used. They need root, and a kernel that lets it mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BACKING_MIB = 24
_CLAIMED_MIB = 200


class NoDisk(Exception):
    """No disk can be mounted here."""


class SmallDisk:
    """A disk in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def grow(self, mib: int) -> None:
        """Make room."""
        _run("mount", "-o", f"remount,size={mib}m", str(self.folder))

    def fill(self) -> None:
        """Take all room that is left."""
        with (self.folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4_096))


class MortalDisk:
    """A disk that says it is larger than it is: after `die` it fails at the first block that it has not yet."""

    def __init__(self, folder: Path, backing: SmallDisk) -> None:
        self.folder = folder
        self._backing = backing

    def die(self) -> None:
        """Refuse everything that is new; the kernel mounts the file system read-only when it notices."""
        self._backing.fill()


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Mount an empty disk at a folder that is made. Raises NoDisk."""
    folder.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _unmount(folder)


@contextmanager
def mortal_disk(folder: Path) -> Iterator[MortalDisk]:
    """Mount an ext4 on a loop device at a folder that is made. Raises NoDisk."""
    with small_disk(folder.with_name(f"{folder.name}-backing"), _BACKING_MIB) as backing:
        image = backing.folder / "image"
        image.touch()
        os.truncate(image, _CLAIMED_MIB << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", str(image))
        folder.mkdir(mode=0o700)
        _mount("-o", "loop", str(image), str(folder))
        try:
            yield MortalDisk(folder, backing)
        finally:
            _unmount(folder)


def _mount(*arguments: str) -> None:
    if os.geteuid() != 0:
        raise NoDisk("only root may mount a disk")
    _run("mount", *arguments)


def _unmount(folder: Path) -> None:
    _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoDisk(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NoDisk(f"{command[0]} failed: {error.stderr.strip()}") from error
