"""A terminal to run the program in: what it shows, at a width of the test's choice, and what a person types."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.support.patience import stretched

PROGRAM = (sys.executable, "-c", "from cli.app import main; main()")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown:
    """The raw output that a terminal received."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Return the visible text: the last state of each line, without colours."""
        text = _ESCAPES.sub("", self.raw.replace("\r\n", "\n"))
        return [line.rsplit("\r", 1)[-1] for line in text.split("\n")]

    @property
    def text(self) -> str:
        """Return the lines in one."""
        return "\n".join(self.lines)


def run_in_terminal(
    arguments: Sequence[str], environ: Mapping[str, str], *, columns: int = 80, typed: str = ""
) -> Shown:
    """Run the program to its end; what is typed is there from the beginning."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    around = {name: value for name, value in environ.items() if name != "COLUMNS"}
    process = subprocess.Popen([*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=around)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    return Shown(process.wait(stretched(60)), shown.decode(errors="replace"))


def _read(descriptor: int) -> bytes:
    """Return what there is; nothing once the program has closed its side."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""
