"""The loop that most teams write first, with Redis for the dedupe state. Its figures include the Redis process."""

import os
import shutil
from dataclasses import dataclass

from bench.candidate import CandidateMissing, Job, Output, Running
from bench.candidates.python_peers import PYTHON, ROOT, install_packages
from bench.shape import Shape
from deploy.kafka.port import free_ports


@dataclass(frozen=True, slots=True)
class RedisLoop:
    """`bench/peers/redis_loop.py` and a dedicated Redis server with an append-only file."""

    name: str = "redis-loop"
    guarantee: str = "loses updates in a crash"
    output: Output = Output.UPDATES
    ends_by_itself: bool = False

    def supports(self, shape: Shape) -> bool:
        """Return true but for the registry's shape."""
        return not shape.registry

    def prepare(self) -> None:
        """Install its packages; raises CandidateMissing."""
        _server()
        install_packages()

    def start(self, job: Job) -> Running:
        """Start Redis and the loop."""
        (port,) = free_ports(1)
        server = [_server(), "--port", str(port), "--dir", str(job.folder), "--save", "", "--appendonly", "yes"]
        command = [str(PYTHON), "-m", "bench.peers.redis_loop", job.servers, job.clicks, job.updates, job.group]
        running = Running(job.folder).launch([*server, "--bind", "127.0.0.1"], os.environ)
        return running.launch([*command, str(job.definitions), str(port)], os.environ, ROOT)


def _server() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise CandidateMissing("no redis-server is installed")
    return found
