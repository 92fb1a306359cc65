"""What can be looked at without a broker: settings, versions, the state's folder, the schema registry."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from consumer.codecs import subject_of
from consumer.decision.cores import PURE
from consumer.doctor.finding import Finding, failure, fine, warning
from consumer.errors import ExitCode, Unavailable
from consumer.kafka.interface import BINDING
from consumer.registry import connect_registry
from consumer.service_links import ADVICE
from consumer.settings import PREFIX, Settings, WrongSettings, hidden_settings, load_settings, service_links
from consumer.version import versions

ROOM_BYTES = 2**30
"""Free space below which the state may soon have none; ten million clicks remembered take about as much."""


def look_at_settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Return the settings, None where they are wrong, and a finding for each mistake."""
    program = fine("program", ", ".join(f"{name} {version}" for name, version in versions().items()))
    try:
        settings = load_settings(environ)
    except WrongSettings as error:
        return None, [program, *(failure("settings", mistake, ExitCode.USAGE) for mistake in error.mistakes)]
    links = service_links(environ)
    named = sorted(name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX) and name not in links)
    return settings, [program, fine("settings", f"all good; set are {', '.join(named)}"), *_look_at_links(environ)]


def _look_at_links(environ: Mapping[str, str]) -> Iterator[Finding]:
    if not service_links(environ):
        return
    seen = f"{len(service_links(environ))} variables of Kubernetes Services look like settings and are ignored"
    hidden = hidden_settings(environ)
    yield warning("settings", f"{seen}, {', '.join(hidden)} among them" if hidden else seen, ADVICE)


def look_at_core(core: str) -> Finding:
    """Tell which core decides clicks: the pure one is as right and slower."""
    if core == PURE:
        return fine("core", "pure Python; installed where there is a C compiler, a click takes less CPU")
    return fine("core", core)


def look_at_interface(interface: str) -> Finding:
    """Tell which way the client library is used: by its binding for Python alone it is as right and slower."""
    if interface == BINDING:
        return fine("interface", "the client library's binding alone; directly, where a C compiler is, takes less CPU")
    return fine("interface", f"{interface} to the client library")


def look_at_state(folder: Path) -> Iterator[Finding]:
    """Tell whether the state can be written, without making its folder."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        sentence = (
            f"{folder} cannot be written ({os.strerror(error.errno or 0)}); mend LINK_ACTIONS_STATE_DIR or its rights"
        )
        yield failure("state", sentence, ExitCode.USAGE)
        return
    if free < ROOM_BYTES:
        yield warning("state", f"{folder} has {free // 2**20} MiB of room", "make room, or move LINK_ACTIONS_STATE_DIR")
        return
    yield fine("state", f"{folder} can be written, {free // 2**30} GiB of room")


def look_at_registry(url: str | None, clicks: str) -> Iterator[Finding]:
    """Tell whether the schema registry answers and what it knows of clicks."""
    if url is None:
        yield fine("registry", "none is set; records have single-object encoding")
        return
    try:
        with closing(connect_registry(url)) as registry:
            known = len(registry.definitions_of(subject_of(clicks)))
    except Unavailable as error:
        yield failure("registry", str(error))
        return
    if known:
        yield fine("registry", f"answers, with {known} versions of {subject_of(clicks)}")
    else:
        mend = "publish a click, or register schemas/link_clicked.avsc"
        yield warning("registry", f"answers, and has no {subject_of(clicks)}", mend)
