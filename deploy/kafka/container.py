"""A Kafka node in a Docker container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.kafka.broker import KafkaMissing, wait_until_answers
from deploy.kafka.port import free_ports
from deploy.kafka.profile import CLUSTER_ID, KAFKA_VERSION, TEST, Profile, node_settings

if TYPE_CHECKING:
    from pathlib import Path

try:
    import docker
    from docker.errors import DockerException
    from testcontainers.core.container import DockerContainer
except ImportError:  # an installation without the dev extra
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
_CLIENTS_PORT = 9092


def start_container(directory: Path, *, profile: Profile = TEST, port: int | None = None) -> ContainerKafka:
    """Start a new node, which writes its log to the directory when it stops. Raises KafkaMissing.

    Clients connect to `port`, or to any free one.
    """
    _require_engine()
    try:
        return ContainerKafka(DockerContainer(IMAGE), directory / "kafka.log", profile, port or free_ports(1)[0])
    except (DockerException, OSError, RuntimeError) as error:
        raise KafkaMissing(f"the container {IMAGE} did not start: {error}") from error


class ContainerKafka:
    """One running node; if this process is killed, the reaper of testcontainers removes the node."""

    def __init__(self, container: DockerContainer, log_path: Path, profile: Profile, port: int) -> None:
        self.bootstrap_servers = f"{container.get_container_host_ip()}:{port}"
        self.log_path = log_path
        self._container: DockerContainer | None = container.with_bind_ports(_CLIENTS_PORT, port)
        container.with_envs(**node_environment(profile, advertised=self.bootstrap_servers))
        try:
            container.start()
            wait_until_answers(self.bootstrap_servers, is_alive=lambda: _is_alive(container))
        except BaseException:
            self.stop()
            raise

    def describe(self) -> str:
        """Return one line with its address and image."""
        return f"Kafka at {self.bootstrap_servers}, a container of {IMAGE}"

    def stop(self) -> None:
        """Save its log and remove it."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            self._save_log(container)
        finally:
            container.stop()

    def _save_log(self, container: DockerContainer) -> None:
        if container.status == "not_started":
            return
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path.write_bytes(b"".join(container.get_logs()))


def node_environment(profile: Profile, *, advertised: str) -> dict[str, str]:
    """Return a node's settings as the image takes them: KAFKA_ and the name in capitals, dots as underscores."""
    settings = node_settings(
        profile,
        clients=f"0.0.0.0:{_CLIENTS_PORT}",
        advertised=advertised,
        brokers="127.0.0.1:9093",
        controllers="127.0.0.1:9094",
    )
    environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    environment["CLUSTER_ID"] = CLUSTER_ID
    environment["KAFKA_HEAP_OPTS"] = " ".join(profile.java_flags)
    environment["KAFKA_JVM_PERFORMANCE_OPTS"] = "-server"  # the default sets a garbage collector
    return environment


def _is_alive(container: DockerContainer) -> bool:
    container.reload()
    return container.status in {"created", "running"}


def _require_engine() -> None:
    if not IS_INSTALLED:
        raise KafkaMissing("testcontainers is not installed")
    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except (DockerException, OSError) as error:
        raise KafkaMissing("no Docker engine answers") from error
