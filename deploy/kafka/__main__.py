"""Runs a local Kafka for trying things out: `python -m deploy.kafka [PORT]`. Ctrl-C removes it with its data."""

import os
import signal
import sys
import tempfile
from pathlib import Path

from deploy.kafka.choice import BOOTSTRAP_SERVERS, first_available, own_kafka, tell_standard_error
from deploy.kafka.port import LOOPBACK, is_free

PORT = 9092
UNAVAILABLE = 3


def main(port: int) -> int:
    """Start Kafka, print how to use it, and wait for SIGINT or SIGTERM; return the exit code."""
    stopping = {signal.SIGINT, signal.SIGTERM}
    if not is_free(port):
        tell_standard_error(f"Port {port} of {LOOPBACK} is in use; name another: make kafka KAFKA_PORT={port + 1}")
        return UNAVAILABLE
    say("Starting Kafka; the first time, Maven or Docker downloads about 50 MB.")
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    with tempfile.TemporaryDirectory(prefix="link-actions-kafka-") as folder:
        broker = first_available(own_kafka(Path(folder), environ=os.environ, port=port), tell_standard_error)
        if broker is None:
            return UNAVAILABLE
        try:
            say(f"{broker.describe()}. Ctrl-C stops it and deletes its data. In another terminal:")
            say(f"export {BOOTSTRAP_SERVERS}={broker.bootstrap_servers}")
            signal.sigwait(stopping)
        finally:
            broker.stop()
    return 0


def say(line: str) -> None:
    """Print a line and flush it, also if standard output is not a terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT))
