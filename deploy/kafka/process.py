"""A Kafka node as a child process that a test can stop, kill, pause and restart."""

import atexit
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.kafka.broker import KafkaMissing, wait_until_answers
from deploy.kafka.java import fetch_jars, find_java
from deploy.kafka.lifeline import Lifeline
from deploy.kafka.port import LOOPBACK, free_ports
from deploy.kafka.profile import CLUSTER_ID, KAFKA_VERSION, TEST, Profile, behind_proxy, node_settings

STOP_SECONDS = 30


def start_process(
    directory: Path,
    *,
    environ: Mapping[str, str],
    profile: Profile = TEST,
    proxy: str | None = None,
    port: int | None = None,
) -> "KafkaProcess":
    """Start a new node with data and log below the directory. Raises KafkaMissing.

    `proxy` is the `host:port` of a proxy in front of the node's second listener. Clients connect to `port`, or to any
    free one.
    """
    clients, brokers, controllers, proxied = loopback_addresses(4)
    clients = f"{LOOPBACK}:{port}" if port is not None else clients
    settings = node_settings(profile, clients=clients, advertised=clients, brokers=brokers, controllers=controllers)
    if proxy is not None:
        settings = behind_proxy(settings, listens=proxied, advertised=proxy)
    java = java_command(environ, profile)
    process = KafkaProcess(directory, java, environ, settings=settings, proxied=proxied if proxy else None)
    process.start()
    return process


def java_command(environ: Mapping[str, str], profile: Profile) -> list[str]:
    """Return the command that runs Kafka's own jars. Raises KafkaMissing."""
    java = find_java(environ)
    jars = fetch_jars(environ)
    return [str(java), "-cp", f"{jars}/*", *profile.java_flags, "-Dorg.slf4j.simpleLogger.showDateTime=true"]


def loopback_addresses(count: int) -> list[str]:
    """Return free addresses."""
    return [f"{LOOPBACK}:{port}" for port in free_ports(count)]


class KafkaProcess:
    """One node, which keeps its ports and data over restarts.

    `proxied` is the address of its listener behind a proxy, if it has one.
    """

    def __init__(
        self,
        directory: Path,
        java: list[str],
        environ: Mapping[str, str],
        *,
        settings: Mapping[str, str],
        proxied: str | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.log_path = directory / "kafka.log"
        self.data = directory / "data"
        self.proxied = proxied
        self._java = java
        self._environ = dict(environ)
        self._settings_path = directory / "server.properties"
        self.bootstrap_servers = settings["advertised.listeners"].split(",")[0].removeprefix("CLIENTS://")
        lines = {**settings, "log.dirs": str(self.data)}
        self._settings_path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._child: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    def describe(self) -> str:
        """Return one line with its address."""
        return f"Kafka {KAFKA_VERSION} at {self.bootstrap_servers}, a child process"

    @property
    def process_id(self) -> int | None:
        """Return the process id; None if it is not running."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it, the first time with empty data, and wait until it answers. Raises KafkaMissing."""
        self.launch()
        self.wait_until_answers()

    def launch(self) -> None:
        """Start it, the first time with empty data, without waiting for an answer. Raises KafkaMissing."""
        if not self.data.exists():
            self._format_data()
        command = [*self._java, "kafka.Kafka", str(self._settings_path)]
        with self.log_path.open("ab") as log:
            # A separate session, so that clients which stop on Ctrl-C at the terminal still have a broker.
            child = subprocess.Popen(
                command, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._child, self._lifeline = child, Lifeline(child.pid)
        atexit.register(self.kill)

    def wait_until_answers(self) -> None:
        """Wait until it answers; kill it otherwise. Raises KafkaMissing."""
        try:
            wait_until_answers(self.bootstrap_servers, is_alive=self._is_alive)
        except BaseException as error:
            self.kill()
            if isinstance(error, KafkaMissing):
                raise KafkaMissing(f"{error}; its log says: {self._last_error()}") from error
            raise

    def stop(self) -> None:
        """Stop it cleanly and keep its data."""
        if self._child is None:
            return
        self.resume()
        self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill it, as a crash would, and keep its data."""
        if self._child is None or self._lifeline is None:
            return
        self._child.kill()
        self._child.wait()
        self._lifeline.cut()
        self._child = self._lifeline = None
        atexit.unregister(self.kill)

    def pause(self) -> None:
        """Suspend it: connections stay open and requests get no answer."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after a pause."""
        self._send(signal.SIGCONT)

    def _is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _send(self, signal_number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(signal_number)

    def _format_data(self) -> None:
        command = [*self._java, "kafka.tools.StorageTool", "format"]
        command += ["-t", CLUSTER_ID, "-c", str(self._settings_path)]
        with self.log_path.open("ab") as log:
            answer = subprocess.run(command, env=self._environ, stdout=log, stderr=log, check=False)
        if answer.returncode != 0:
            raise KafkaMissing(f"Kafka could not format its data directory; its log says: {self._last_error()}")

    def _last_error(self) -> str:
        """Return the last error line of the log, which may be deleted with its folder."""
        lines = [line.strip() for line in self.log_path.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "Exception" in line]
        return (errors or lines or ["nothing"])[-1]
