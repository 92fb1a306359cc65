"""The commands of docs/tour.md, carried out: `make tour` writes what they print into the page.

A block of the page that begins with ```console holds commands after a dollar sign, each with what it prints below.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.choice import BOOTSTRAP_SERVERS
from deploy.kafka.port import free_ports

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/tour.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
SHOWN_SERVERS = "127.0.0.1:9092"
VOLATILE = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|"timestamp": \d+')
MARK = "\x1e"
"""Comes before the output of each command; nothing prints it."""


class NoKafka(Exception):
    """None can be started here; the message says what is missing."""


def commands(text: str) -> list[str]:
    """The commands in the console blocks, in their order."""
    return [line.removeprefix("$ ") for block in BLOCK.findall(text) for line in block.splitlines() if line[:2] == "$ "]


def carried_out(text: str, servers: str, folder: Path) -> str:
    """Return the page with the present output of its commands, run in one shell in this empty folder."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / ".venv").symlink_to(sys.prefix)
    printed = iter(_outputs(commands(text), servers, folder))

    def block(shown: re.Match[str]) -> str:
        lines = "".join(f"$ {command}\n{next(printed)}" for command in commands(f"```console\n{shown[0]}```"))
        return "".join(f"{line.rstrip()}\n" for line in lines.splitlines())

    return BLOCK.sub(block, text).replace(servers, SHOWN_SERVERS)


def comparable(text: str) -> list[str]:
    """The page without what differs from one run to the next, or from one machine to another.

    These are the broker's times and offsets, and the order of updates in different topics.
    """
    lines: list[str] = []
    for part in filter(None, re.split(r"^(?=\$ |```)", text, flags=re.MULTILINE)):
        command, *printed = part.splitlines()
        output = [VOLATILE.sub("", line) for line in printed]
        if command.startswith("$ link-actions updates tail"):
            output.sort()
        lines += [command, *output]
    return lines


def _outputs(wanted: list[str], servers: str, folder: Path) -> list[str]:
    script = folder / "tour.sh"
    script.write_text("".join(f"printf '{MARK}'\n{command}\n" for command in wanted).replace(SHOWN_SERVERS, servers))
    ran = subprocess.run(
        [shutil.which("bash") or "bash", str(script)],
        cwd=folder,
        env=environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    before, *outputs = ran.stdout.split(MARK)
    assert (before, len(outputs)) == ("", len(wanted)), ran.stdout
    return outputs


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this program's settings, a port for its pages that is free, and a terminal's usual width."""
    kept = {name: value for name, value in environ.items() if not name.startswith("LINK_ACTIONS_")}
    return kept | {"LINK_ACTIONS_HTTP_PORT": "0", "COLUMNS": "100", "USER": "you", "LOGNAME": "you"}


@contextmanager
def local_kafka() -> Iterator[str]:
    """Run what `make kafka` runs, on a free port, and give its address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "deploy.kafka", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(os.environ), stdout=subprocess.PIPE, text=True) as kafka:
        try:
            yield _address(kafka)
        finally:
            kafka.terminate()


def _address(kafka: subprocess.Popen[str]) -> str:
    """Return what the line says that is to be pasted into another terminal."""
    assert kafka.stdout is not None
    told = []
    for line in kafka.stdout:
        told.append(line)
        if line.startswith(f"export {BOOTSTRAP_SERVERS}="):
            return line.strip().partition("=")[2]
    raise NoKafka("".join(told))


if __name__ == "__main__":
    with local_kafka() as servers, tempfile.TemporaryDirectory() as empty:
        PAGE.write_text(carried_out(PAGE.read_text(), servers, Path(empty)))
