"""Every command where the process around it is not as it should be: a sentence and an exit code, never a traceback."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import Producer

from cli.app import COMMANDS
from deploy.kafka import Broker
from schemas.topics import DEAD_LETTERS
from tests.support.patience import stretched
from tests.support.publisher import Publisher

PROGRAM = [sys.executable, "-c", "from cli.app import main; main()"]
ENDS_SECONDS = 120
AT_A_TIME = 3
UNTOLD = ("Traceback", "Exception ignored")
LETTER = "0:0"
LINKS = """\
tenant: acme
links:
  - id: spring
    name: Forår, ja tak 春
    response: {redirect: "https://www.example.com/spring"}
    actions: [{kind: set_field, field: choice, value: "blåbær"}]
"""
CLICK = {
    "tenant_id": "acme",
    "link_id": "spring",
    "recipient_id": "r-1",
    "person_id": "p-ø",
    "clicked_at": 1_796_000_000_000,
}
COMMAND_LINES = {
    "": (),
    "run": ("run", "--drain"),
    "demo": ("demo", "--clicks", "0"),
    "topics": ("topics", "create"),
    "links check": ("links", "check", "links"),
    "links publish": ("links", "publish", "links"),
    "links list": ("links", "list"),
    "links show": ("links", "show", "acme/spring"),
    "links reset": ("links", "reset", "acme/nothing"),
    "links delete": ("links", "delete", "acme/nothing"),
    "links schema": ("links", "schema"),
    "links sign": ("links", "sign", "--keyring", "keyring.yaml", "--host", "klik.example.com"),
    "edge run": ("edge", "run"),
    "edge check": ("edge", "check"),
    "edge spool": ("edge", "spool", "list"),
    "scripts run": ("scripts", "run", "--drain"),
    "scripts check": ("scripts", "check", "links"),
    "scripts try": ("scripts", "try", "score.js"),
    "scripts list": ("scripts", "list"),
    "clicks": ("clicks", "publish", "clicks.ndjson"),
    "updates": ("updates", "tail", "--from-beginning", "--until-end"),
    "dlq list": ("dlq", "list"),
    "dlq show": ("dlq", "show", LETTER),
    "dlq replay": ("dlq", "replay", "--dry-run"),
    "state": ("state", "repartition", "--partitions", "2", "--dry-run"),
    "acls": ("acls",),
    "doctor": ("doctor",),
}


WITH_SETTINGS = ("run", "links list", "doctor")


@dataclass(frozen=True)
class Surroundings:
    """The environment of a process: variables, its start by a shell, the commands tried, and their exit codes."""

    environ: Mapping[str, str] = field(default_factory=dict)
    start: str = 'exec "$@"'
    commands: Sequence[str] = tuple(COMMAND_LINES)
    codes: frozenset[int] = frozenset({0, 2, 3})


def with_settings(**settings: str) -> Surroundings:
    """Return wrong settings, which every command reads in one place."""
    return Surroundings({f"LINK_ACTIONS_{name}": value for name, value in settings.items()}, commands=WITH_SETTINGS)


PIPE = "mkfifo pipe.$$; exec 3<>pipe.$$ 4>pipe.$$ 3<&-"
CASES = {
    "ISO-8859-1": Surroundings({"PYTHONIOENCODING": "ISO-8859-1"}),
    "POSIX": Surroundings({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "a full disk": Surroundings(start='exec "$@" > /dev/full', codes=frozenset({0, 1, 2, 3})),
    "a full disk for errors": Surroundings(start='exec "$@" 2> /dev/full'),
    "nothing open": Surroundings(start='exec "$@" <&- >&- 2>&-'),
    "readers that have gone": Surroundings(start=f'{PIPE}; exec "$@" >&4 2>&4', codes=frozenset({0, 2, 3, 141})),
    "a working directory that was deleted": Surroundings(
        start='mkdir gone.$$; cd gone.$$; rmdir ../gone.$$; exec "$@"'
    ),
    "a retention longer than time": with_settings(DEDUPE_RETENTION="999999999999d"),
    "a state directory that is a file": with_settings(STATE_DIR="clicks.ndjson"),
    "a state directory in a loop": with_settings(STATE_DIR="loop"),
    "a state directory with too long a name": with_settings(STATE_DIR="s" * 300),
    "settings that are not UTF-8": with_settings(GROUP_ID="\udce9", SCHEMA_REGISTRY_URL="http://\udce9"),
    "properties that are a directory": with_settings(KAFKA_CONFIG="links"),
    "properties that hold a NUL": with_settings(KAFKA_CONFIG="nul.properties"),
    "neither locale nor home": Surroundings(
        {"LC_ALL": "xx_XX", "HOME": "", "USER": "", "LOGNAME": ""}, commands=WITH_SETTINGS
    ),
}
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "an author in ISO-8859-1": ("links", "publish", "links", "--author", "S\udcf8ren"),
    "a link in ISO-8859-1": ("links", "show", "acme/\udcf8"),
    "a tenant in ISO-8859-1": ("links", "list", "--tenant", "\udcf8"),
    "a link with an escape": ("links", "show", "acme/\x1b[31m"),
    "a very long link": ("links", "show", "acme/" + "x" * 100_000),
    "a very long file name": ("clicks", "publish", "x" * 100_000),
    "a very long folder": ("links", "check", "x" * 100_000),
    "link files in a loop": ("links", "check", "loop"),
    "link files in a folder with a loop": ("links", "check", "looping"),
    "a device": ("links", "check", "/dev/full"),
    "clicks from a folder": ("clicks", "publish", "links"),
    "clicks from a loop": ("clicks", "publish", "loop"),
    "clicks that cannot be read on": ("clicks", "publish", "/proc/self/mem"),
    "a place beyond all": ("dlq", "show", "999999999:999999999999999999"),
    "a version beyond all": ("links", "show", "acme/spring", "--version", "9" * 30),
    "a seed beyond all": ("demo", "--seed", "9" * 5_000, "--clicks", "0"),
    "no option": ("updates", "tail", "--\x1b[31m"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the working directory of the commands."""
    path = tmp_path_factory.mktemp("surroundings")
    (path / "links").mkdir()
    (path / "links" / "a.yaml").write_text(LINKS, encoding="utf-8")
    (path / "clicks.ndjson").write_text(json.dumps(CLICK))
    (path / "score.js").write_text("console.log(linkHits)")
    (path / "loop").symlink_to("loop")
    (path / "looping").mkdir()
    (path / "looping" / "a.yaml").symlink_to("a.yaml")
    (path / "nul.properties").write_bytes(b"ssl.ca.location=a\0b\n")
    return path


@pytest.fixture(scope="module")
def environ(kafka: Broker, folder: Path) -> dict[str, str]:
    """Return the variables of a deployment that has a link, and a dead letter with a name that needs Unicode."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    settings = {
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "LINK_ACTIONS_TOPIC_PREFIX": prefix,
        "LINK_ACTIONS_GROUP_ID": prefix.strip("."),
        "LINK_ACTIONS_STATE_DIR": str(folder / "state"),
        "LINK_ACTIONS_HTTP_PORT": "0",
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")} | settings
    for arguments in (("topics", "create", "--partitions", "1"), ("links", "publish", "links")):
        subprocess.run([*PROGRAM, *arguments], cwd=folder, env=environ, check=True, capture_output=True)
    publisher = Publisher(Producer({"bootstrap.servers": kafka.bootstrap_servers}))
    publisher.publish(f"{prefix}{DEAD_LETTERS}", "ø\x1b".encode(), None, partition=0, headers=[("dlq.reason", b"\xff")])
    publisher.finish()
    return environ


@pytest.mark.parametrize("name", CASES)
def test_no_surroundings_end_a_command_in_a_traceback(name: str, folder: Path, environ: dict[str, str]) -> None:
    case = CASES[name]
    shell = ["sh", "-c", case.start, "sh", *PROGRAM]
    calls = {command: [*shell, *COMMAND_LINES[command]] for command in case.commands}

    assert wrong_ends(calls, folder, {**environ, **case.environ}, case.codes) == {}


def test_no_arguments_end_a_command_in_a_traceback(folder: Path, environ: dict[str, str]) -> None:
    calls = {name: [*PROGRAM, *arguments] for name, arguments in ARGUMENTS.items()}

    assert wrong_ends(calls, folder, environ, frozenset({2})) == {}


def wrong_ends(
    calls: Mapping[str, Sequence[str]], folder: Path, environ: Mapping[str, str], codes: frozenset[int]
) -> dict[str, tuple[int, str]]:
    """Run all, some at a time, and return how those ended that ended wrong."""

    def end(name: str) -> tuple[int, str]:
        call = calls[name]
        done = subprocess.run(
            call,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=stretched(ENDS_SECONDS),
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ends = dict(zip(calls, pool.map(end, calls), strict=True))
    return {name: end for name, end in ends.items() if end[0] not in codes or any(word in end[1] for word in UNTOLD)}


def test_every_command_is_tried() -> None:
    assert {name.split(" ")[0] for name in COMMAND_LINES} - {""} == set(COMMANDS)
