"""Checks that need no broker: settings, versions, the state folder, the schema registry."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from consumer.doctor.finding import Finding, failure, fine, warning
from runtime.config.environment import WrongSettings, hidden_settings, load_settings, service_links
from runtime.config.service_links import ADVICE
from runtime.config.settings import PREFIX, Settings
from runtime.errors import ExitCode, LinkActionsError, Unavailable, UsageError
from runtime.kafka.backend import CONFLUENT_KAFKA
from runtime.kafka.client import (
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    reader_config,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.monitoring.version import versions
from runtime.records.implementation import PYTHON
from runtime.registry.codecs import subject_of
from runtime.registry.registry import connect_registry
from runtime.state.disk import MORE_DESCRIPTORS, existing_part, require_writable
from runtime.terminal.text import counted

MIN_FREE_BYTES = 2**24
"""Free space below which a worker cannot start."""
DESCRIPTORS, FILES_OF_PARTITION, CONNECTIONS_TO_BROKER = 80, 2, 24
"""Most files and connections a worker has open, with a margin: `tests/kafka/test_outages_as_seen.py` counts them."""
ROOM_BYTES = 2**30
"""Free space below which the disk may soon be full: ten million remembered clicks take about this much."""


def check_settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Return the settings, None if they are wrong, and a finding for each mistake."""
    program = fine("program", ", ".join(f"{name} {version}" for name, version in versions().items()))
    try:
        settings = load_settings(environ)
    except WrongSettings as error:
        return None, [program, *(failure("settings", mistake, ExitCode.USAGE) for mistake in error.mistakes)]
    links = service_links(environ)
    named = sorted(name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX) and name not in links)
    return settings, [
        program,
        fine("settings", f"valid; set are {', '.join(named)}"),
        *check_service_links(environ),
    ]


def check_service_links(environ: Mapping[str, str], kind: type[Settings] = Settings) -> Iterator[Finding]:
    """Report variables that Kubernetes has set for Services, and the settings that they hide."""
    if not service_links(environ):
        return
    seen = f"{len(service_links(environ))} variables of Kubernetes Services look like settings and are ignored"
    hidden = hidden_settings(environ, kind)
    yield warning("settings", f"{seen}, including {', '.join(hidden)}" if hidden else seen, ADVICE)


def check_core(core: str) -> Finding:
    """Report the core that decides clicks: pure Python gives the same results, only slower."""
    if core == PYTHON:
        return fine("core", "pure Python; install with a C compiler to use less CPU per click")
    return fine("core", "compiled")


def check_backend(backend: str) -> Finding:
    """Report how clicks and updates reach librdkafka; without the compiled parts it works the same and slower."""
    if backend == CONFLUENT_KAFKA:
        return fine("backend", f"{backend}; install with a C compiler to call librdkafka directly and use less CPU")
    return fine("backend", f"{backend}, called directly")


def check_state(folders: Iterable[Path]) -> Iterator[Finding]:
    """Report whether each worker's state folder can be written and has free space, without creating it."""
    for folder in folders:
        yield from _check_folder(folder)


def _check_folder(folder: Path) -> Iterator[Finding]:
    try:
        require_writable(folder)
        room = shutil.disk_usage(existing_part(folder))
    except LinkActionsError as error:
        yield failure("state", str(error), ExitCode(error.exit_code))
        return
    if room.free < MIN_FREE_BYTES:
        fix = "free some space, or set LINK_ACTIONS_STATE_DIR to another folder"
        yield failure("state", f"{folder} has {room.free // 2**20} MiB free, too little to start; {fix}")
    elif room.free < ROOM_BYTES:
        yield warning(
            "state",
            f"{folder} has {room.free // 2**20} MiB of free space",
            "free some space, or move LINK_ACTIONS_STATE_DIR",
        )
    else:
        yield fine("state", f"{folder} can be written, {room.free // 2**30} GiB free")


def check_descriptors(limit: int | None, partitions: int, brokers: int) -> Finding:
    """Report whether one worker may open the files and connections that it needs; None means no limit."""
    needed = DESCRIPTORS + FILES_OF_PARTITION * partitions + CONNECTIONS_TO_BROKER * brokers
    if limit is None or limit >= 2 * needed:
        return fine("descriptors", f"a worker may open {limit or 'any number of'} files and connections")
    seen = f"a worker may open {limit} files and connections, and may need {needed}"
    if limit < needed:
        return failure("descriptors", f"{seen}; {MORE_DESCRIPTORS}", ExitCode.USAGE)
    return warning("descriptors", seen, MORE_DESCRIPTORS)


def check_properties(settings: Settings) -> Finding:
    """Report whether the client library accepts all properties, including those of consumers and producers."""
    try:
        open_admin(admin_config(settings.kafka))
        open_consumer(worker_consumer_config(settings.kafka)).close()
        open_consumer(reader_config(settings.kafka)).close()
        open_producer(worker_producer_config(settings.kafka))
    except UsageError as error:
        return failure("properties", str(error), ExitCode(error.exit_code))
    return fine("properties", "accepted by the client library")


def check_registry(url: str | None, clicks: str) -> Iterator[Finding]:
    """Report whether the schema registry answers, and its versions of the click schema."""
    if url is None:
        yield fine("registry", "not set; records use Avro single-object encoding")
        return
    try:
        with closing(connect_registry(url)) as registry:
            known = len(registry.definitions_of(subject_of(clicks)))
    except Unavailable as error:
        yield failure("registry", str(error))
        return
    if known:
        yield fine("registry", f"answers, with {counted(known, 'version')} of {subject_of(clicks)}")
    else:
        fix = "publish a click, or register schemas/link_clicked.avsc"
        yield warning("registry", f"answers, and has no {subject_of(clicks)}", fix)


def check_walls(missing: Sequence[str]) -> Finding:
    """Report whether script workers can be locked on this machine; `missing` are the walls that it has not."""
    if not missing:
        return fine("sandbox", "scripts run behind WebAssembly, Landlock and seccomp")
    fix = "run script workers on a Linux that has them, or set LINK_ACTIONS_SCRIPTS_WITHOUT_WALLS=true"
    return warning("sandbox", f"this machine has no {' and no '.join(missing)}", fix)
