"""Chooses the Kafka to use: a given one, a container, or a child process."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deploy.kafka.broker import Broker, Kafka, KafkaMissing
from deploy.kafka.container import start_container
from deploy.kafka.process import start_process
from deploy.kafka.profile import TEST, Profile

BOOTSTRAP_SERVERS = "LINK_ACTIONS_BOOTSTRAP_SERVERS"


def tell_standard_error(sentence: str) -> None:
    """Write the sentence to standard error."""
    sys.stderr.write(f"{sentence}\n")


def start_kafka(
    directory: Path,
    *,
    environ: Mapping[str, str],
    profile: Profile = TEST,
    tell: Callable[[str], object] = tell_standard_error,
) -> Broker | None:
    """Return the given Kafka; without one, start a container or a child process, which the caller stops.

    None if there is none; `tell` then gets one sentence with what was missing for each.
    """
    own = own_kafka(directory, environ=environ, profile=profile)
    return first_available([partial(given_kafka, environ), *own], tell)


def own_kafka(
    directory: Path, *, environ: Mapping[str, str], profile: Profile = TEST, port: int | None = None
) -> Sequence[Callable[[], Broker]]:
    """Return the ways to start a Kafka, the preferred one first. Clients connect to `port`, or to any free one."""
    return [
        partial(start_container, directory, profile=profile, port=port),
        partial(start_process, directory, environ=environ, profile=profile, port=port),
    ]


def first_available(sources: Iterable[Callable[[], Broker]], tell: Callable[[str], object]) -> Broker | None:
    """Return the broker of the first source that has one."""
    missing = []
    for source in sources:
        try:
            return source()
        except KafkaMissing as reason:
            missing.append(str(reason))
    tell(f"No Kafka is available: {'; '.join(missing)}.")
    return None


def given_kafka(environ: Mapping[str, str]) -> Kafka:
    """Return the Kafka that the environment names, without connecting to it. Raises KafkaMissing."""
    servers = environ.get(BOOTSTRAP_SERVERS, "").strip()
    if not servers:
        raise KafkaMissing(f"{BOOTSTRAP_SERVERS} is not set")
    return Kafka(bootstrap_servers=servers, source=BOOTSTRAP_SERVERS)
