"""Which Kafka is taken where several could be."""

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
    """Write the sentence where a person at the terminal reads it."""
    sys.stderr.write(f"{sentence}\n")


def start_kafka(
    directory: Path,
    *,
    environ: Mapping[str, str],
    profile: Profile = TEST,
    tell: Callable[[str], object] = tell_standard_error,
) -> Broker | None:
    """Take the Kafka that is given, else start a container, else a child process; the caller stops it.

    None when nothing is to be had; `tell` then gets one sentence saying what was missing for each.
    """
    own = own_kafka(directory, environ=environ, profile=profile)
    return first_available([partial(given_kafka, environ), *own], tell)


def own_kafka(
    directory: Path, *, environ: Mapping[str, str], profile: Profile = TEST, port: int | None = None
) -> Sequence[Callable[[], Broker]]:
    """Return the ways to start one, the preferred one first. Clients connect to `port`, or to any that is free."""
    return [
        partial(start_container, directory, profile=profile, port=port),
        partial(start_process, directory, environ=environ, profile=profile, port=port),
    ]


def first_available(sources: Iterable[Callable[[], Broker]], tell: Callable[[str], object]) -> Broker | None:
    """Try each source until one gives a broker."""
    missing = []
    for source in sources:
        try:
            return source()
        except KafkaMissing as reason:
            missing.append(str(reason))
    tell(f"No Kafka is to be had: {'; '.join(missing)}.")
    return None


def given_kafka(environ: Mapping[str, str]) -> Kafka:
    """Take the Kafka that the environment names, without asking whether it answers; raises KafkaMissing."""
    servers = environ.get(BOOTSTRAP_SERVERS, "").strip()
    if not servers:
        raise KafkaMissing(f"{BOOTSTRAP_SERVERS} is not set")
    return Kafka(bootstrap_servers=servers, source=BOOTSTRAP_SERVERS)
