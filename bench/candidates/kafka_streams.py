"""Kafka Streams, as a JVM shop would write the job: generic Avro records, a RocksDB store, exactly_once_v2."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.candidate import CandidateMissing, Job, Output, Running
from bench.shape import Shape
from deploy.kafka.broker import KafkaMissing
from deploy.kafka.java import find_java

_ROOT = Path(__file__).parents[2]
_POM = _ROOT / "bench" / "peers" / "streams" / "pom.xml"
_BUILT = _ROOT / ".cache" / "bench" / "streams"
_FLAGS = ("-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


@dataclass(frozen=True, slots=True)
class KafkaStreams:
    """The program in `bench/peers/streams`, built by Maven; one stream thread."""

    name: str = "kafka-streams"
    guarantee: str = "exactly once"
    output: Output = Output.UPDATES
    ends_by_itself: bool = False

    def supports(self, shape: Shape) -> bool:
        """Return true but for the registry's shape, whose serialisers are not on Maven Central."""
        return not shape.registry

    def prepare(self) -> None:
        """Build it; raises CandidateMissing."""
        _java()
        maven = shutil.which("mvn")
        if maven is None:
            raise CandidateMissing("no Maven (mvn) is installed")
        command = [maven, "-q", "-B", "-f", str(_POM), "package", f"-Dbuild.folder={_BUILT}"]
        try:
            subprocess.run(command, check=True)
        except subprocess.CalledProcessError as error:
            raise CandidateMissing("Maven could not build it") from error

    def start(self, job: Job) -> Running:
        """Start it."""
        command = [
            _java(),
            *_FLAGS,
            "-cp",
            f"{_BUILT}/*",
            "bench.Main",
            job.servers,
            job.clicks,
            job.updates,
            job.group,
        ]
        command += [str(job.definitions), str(_ROOT / "schemas"), str(job.folder / "state")]
        return Running(job.folder).launch(command, os.environ)


def _java() -> str:
    try:
        return str(find_java(os.environ))
    except KafkaMissing as error:
        raise CandidateMissing(str(error)) from error
