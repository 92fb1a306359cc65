"""A Kafka node as a child process, with what a fault test does to it."""

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
from deploy.kafka.profile import CLUSTER_ID, KAFKA_VERSION, TEST, Profile, node_settings

STOP_SECONDS = 30


def start_process(directory: Path, *, environ: Mapping[str, str], profile: Profile = TEST) -> "KafkaProcess":
    """Start a new node with its data and log below the directory; raises KafkaMissing."""
    java = find_java(environ)
    process = KafkaProcess(directory, [str(java), "-cp", f"{fetch_jars(environ)}/*"], environ, profile=profile)
    process.start()
    return process


class KafkaProcess:
    """One node, on the same ports and data however often it is stopped or killed and started again."""

    def __init__(self, directory: Path, java: list[str], environ: Mapping[str, str], *, profile: Profile) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.log_path = directory / "kafka.log"
        self._java = java
        self._java_flags = [*profile.java_flags, "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        self._environ = dict(environ)
        self._data = directory / "data"
        self._settings_path = directory / "server.properties"
        clients, brokers, controllers = (f"{LOOPBACK}:{port}" for port in free_ports(3))
        self.bootstrap_servers = clients
        settings = node_settings(profile, clients=clients, advertised=clients, brokers=brokers, controllers=controllers)
        settings["log.dirs"] = str(self._data)
        self._settings_path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        self._child: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    def describe(self) -> str:
        """Say where it is and where its log is."""
        return f"Kafka {KAFKA_VERSION} at {self.bootstrap_servers}, a child process with its log in {self.log_path}"

    @property
    def process_id(self) -> int | None:
        """Return which process it is; None while it does not run."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it, the first time on empty data, and return once it answers; raises KafkaMissing."""
        if not self._data.exists():
            self._format_data()
        command = [*self._java, *self._java_flags, "kafka.Kafka", str(self._settings_path)]
        with self.log_path.open("ab") as log:
            # In a session of its own, so that an interrupt at the terminal leaves the clients a broker to end with.
            child = subprocess.Popen(
                command, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._child, self._lifeline = child, Lifeline(child.pid)
        atexit.register(self.kill)
        try:
            wait_until_answers(self.bootstrap_servers, is_alive=lambda: child.poll() is None)
        except BaseException as error:
            self.kill()
            if isinstance(error, KafkaMissing):
                raise KafkaMissing(f"{error} (its log: {self.log_path})") from error
            raise

    def stop(self) -> None:
        """End it cleanly, its data kept."""
        if self._child is None:
            return
        self.resume()
        self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it as a crash would, its data kept as they were."""
        if self._child is None or self._lifeline is None:
            return
        self._child.kill()
        self._child.wait()
        self._lifeline.cut()
        self._child = self._lifeline = None
        atexit.unregister(self.kill)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._send(signal.SIGCONT)

    def _send(self, signal_number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(signal_number)

    def _format_data(self) -> None:
        command = [*self._java, *self._java_flags, "kafka.tools.StorageTool", "format"]
        command += ["-t", CLUSTER_ID, "-c", str(self._settings_path)]
        with self.log_path.open("ab") as log:
            answer = subprocess.run(command, env=self._environ, stdout=log, stderr=log, check=False)
        if answer.returncode != 0:
            raise KafkaMissing(f"Kafka could not format its data directory (its log: {self.log_path})")
