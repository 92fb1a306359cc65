"""`python -m bench.definitions`: how long a worker takes to read many link definitions, and how much memory it keeps.

One link in a hundred has an action, as in a mailing whose other links only lead somewhere.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
from http import HTTPStatus
from pathlib import Path

from confluent_kafka import Producer

from actions.registry import load_kinds
from bench.links import definitions
from bench.shape import Shape
from deploy.kafka import BENCHMARK, start_kafka
from deploy.kafka.port import free_ports
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from runtime.monitoring.loopback import http_get
from schemas.codec import Codec, encode_text, single_object_frame
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

ACTING = 100
"""One link in this many has an action."""
_TIME_LIMIT_SECONDS = 300


def publish_links(servers: str, names: TopicNames, links: int) -> None:
    """Publish the first version of many links, spliced from two that the codec made."""
    schema = load_schemas()["LinkDefined"]
    frame = single_object_frame(schema)
    key, acting = next(definitions(Shape("one", links=1), Codec(schema)))
    head = encode_text(b"acme") + encode_text(b"offer-00000")
    tail = acting.removeprefix(frame + head)
    silent = tail[: tail.index(b"\x02\x14interested")] + b"\x00" + tail[tail.rindex(b"\x00") + 1 :]
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 50, "queue.buffering.max.messages": 2_000_000})
    for number in range(links):
        name = b"link-%08d" % number
        body = encode_text(b"acme") + encode_text(name) + (silent if number % ACTING else tail)
        producer.produce(names.definitions, frame + body, key.replace(b"offer-00000", name))
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def start_worker(servers: str, folder: Path) -> tuple[float, float, float]:
    """Start a worker and wait until it is ready; return seconds, MiB resident at the end, largest anonymous MiB.

    Anonymous memory is what the process needs; the rest are pages of the state's files, which the system takes back.
    """
    anonymous = 0.0
    (port,) = free_ports(1)
    environ = {
        **os.environ,
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": servers,
        "LINK_ACTIONS_STATE_DIR": str(folder / "state"),
        "LINK_ACTIONS_INSTANCE_ID": "bench",
        "LINK_ACTIONS_HTTP_PORT": str(port),
    }
    command = [str(Path(sys.executable).with_name("link-actions")), "run"]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() - started > _TIME_LIMIT_SECONDS:
                raise RuntimeError("the worker does not get ready")
            anonymous = max(anonymous, _memory(process.pid, "RssAnon"))
            time.sleep(0.05)
        return time.monotonic() - started, _memory(process.pid, "VmRSS"), anonymous
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    """Publish, start twice, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.definitions", description=__doc__)
    parser.add_argument("--links", type=int, default=1_000_000)
    links = parser.parse_args().links
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = start_kafka(folder / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        try:
            settings = Settings(bootstrap_servers=broker.bootstrap_servers)
            names = TopicNames("", settings.group_id, tuple(load_kinds(load_schemas())))
            create_topics(KafkaTopicAdmin(settings.kafka), names, partitions=4, replication_factor=1)
            for count in (0, links):
                publish_links(broker.bootstrap_servers, names, count)
                for occasion in ("first start", "next start"):
                    seconds, now, anonymous = start_worker(broker.bootstrap_servers, folder)
                    line = f"{count:9,} links, {occasion}: ready after {seconds:4.1f} s, {now:.0f} MiB resident"
                    sys.stdout.write(f"{line}, {anonymous:.0f} MiB anonymous at the most\n")
        finally:
            broker.stop()


def _is_ready(port: int) -> bool:
    try:
        with http_get(port, "/readyz", timeout_seconds=1) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _memory(pid: int, name: str) -> float:
    """Return a figure of proc_pid_status(5) in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1024


if __name__ == "__main__":
    main()
