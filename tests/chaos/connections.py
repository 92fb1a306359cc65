"""The proxy between workers and broker, seen from the run: its process and the orders it takes."""

import subprocess
import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.kafka.lifeline import Lifeline
from tests.support.waiting import wait_until


class Connections:
    """All connections of the workers to one broker; `servers` is what the workers connect to."""

    def __init__(self, servers: str, door: str) -> None:
        self.servers = servers
        ports = [address.rsplit(":", 1)[1] for address in (servers, door)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.proxy", *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._lifeline = Lifeline(self._process.pid)
        wait_until(self._answer, "proxy in front of the broker")

    def cut(self) -> None:
        """Reset all of them."""
        self._order("cut")

    def dangle(self) -> None:
        """Leave those that are open half open, until they are healed; new ones work."""
        self._order("dangle")

    def delay(self, milliseconds: int) -> None:
        """Delay all traffic."""
        self._order(f"delay {milliseconds}")

    def heal(self) -> None:
        """Reset what dangles, and end the delay."""
        self._order("heal")

    def close(self) -> None:
        """End the proxy."""
        self._process.kill()
        self._process.communicate()
        self._lifeline.cut()

    def _order(self, order: str) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return
        stdin.write(f"{order}\n".encode())
        stdin.flush()
        answer = stdout.readline().decode().strip()
        assert answer == "done", f"the proxy answers {answer!r} to {order}"

    def _answer(self) -> bool:
        try:
            client = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
            return bool(client.list_topics(timeout=1.0).brokers)
        except KafkaException:
            return False
