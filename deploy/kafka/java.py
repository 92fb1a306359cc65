"""Finds a Java, and fetches Kafka's own jars with Maven."""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.broker import KafkaMissing
from deploy.kafka.profile import KAFKA_VERSION

OLDEST_JAVA = 17
FETCH_SECONDS = 600
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "kafka"
_POM = Path(__file__).with_name("pom.xml")


def find_java(environ: Mapping[str, str]) -> Path:
    """Return a recent enough Java from JAVA_HOME or else the PATH. Raises KafkaMissing."""
    home = environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else environ.get("PATH", ""))
    if java is None:
        raise KafkaMissing(f"no Java is installed (Kafka needs {OLDEST_JAVA} or newer)")
    answer = subprocess.run([java, "-version"], env=dict(environ), capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KafkaMissing(f"{java} is older than Java {OLDEST_JAVA}, which Kafka needs")
    return Path(java)


def fetch_jars(environ: Mapping[str, str], cache: Path = CACHE) -> Path:
    """Return the folder with Kafka's jars, which is filled once per machine. Raises KafkaMissing."""
    jars = cache / f"jars-{KAFKA_VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        if not jars.exists():
            _copy_jars(environ, jars)
    return jars


def _copy_jars(environ: Mapping[str, str], jars: Path) -> None:
    maven = shutil.which("mvn", path=environ.get("PATH", ""))
    if maven is None:
        raise KafkaMissing("no Maven (mvn) is installed to fetch Kafka's jars with")
    unfinished = jars.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    command += [f"-Dkafka.version={KAFKA_VERSION}", f"-DoutputDirectory={unfinished}"]
    try:
        subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=True, timeout=FETCH_SECONDS)
    except subprocess.CalledProcessError as error:
        raise KafkaMissing(f"Maven could not fetch Kafka's jars: {_first_error(error.stdout)}") from error
    except subprocess.TimeoutExpired as error:
        raise KafkaMissing(f"Maven did not fetch Kafka's jars within {FETCH_SECONDS} s") from error
    unfinished.rename(jars)


def _first_error(maven_output: str) -> str:
    return next((line for line in maven_output.splitlines() if "ERROR" in line), "it gave no reason")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
