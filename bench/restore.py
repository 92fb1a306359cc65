"""`python -m bench.restore`: how fast the dedupe state is restored from its changelog, on a real Kafka.

The changelog is written as the worker writes it: in transactions of thousands of entries on several partitions. It is
read into an empty store by the worker's own restorer, then opened again from disk.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.state import KEY_BYTES, STORES, VALUE
from consumer.app.record_formats import topic_names
from consumer.loop.changelog_restore import ChangelogRestorer
from deploy.kafka import BENCHMARK, start_kafka
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from runtime.kafka.client import open_producer, worker_producer_config
from runtime.kafka.clients import KafkaClients

PARTITIONS = 4
BATCH = 5_000
STEP_SECONDS = 0.1


def main() -> None:
    """Write a changelog, and restore it into each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=3_000_000)
    parser.add_argument("--stores", nargs="*", default=["rowfile", "rocksdb"], choices=list(STORES))
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kafka = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if kafka is None:
            sys.exit(1)
        try:
            clients = KafkaClients(Settings(bootstrap_servers=kafka.bootstrap_servers, group_id="bench").kafka)
            create_topics(
                KafkaTopicAdmin(clients.settings),
                topic_names(clients.settings, {}),
                partitions=PARTITIONS,
                replication_factor=1,
            )
            _write_changelog(clients, arguments.keys)
            _tell(f"bytes of changelog per key: {_log_bytes(Path(folder)) / arguments.keys:.1f}")
            for number in range(arguments.rounds):
                for store in arguments.stores:
                    _tell(_measure(clients, store, Path(folder) / f"{store}-{number}", arguments.keys))
        finally:
            kafka.stop()


def _write_changelog(clients: KafkaClients, keys: int) -> None:
    producer = open_producer(worker_producer_config(clients.settings))
    producer.init_transactions(30)
    for batch in _batches(keys):
        producer.begin_transaction()
        for number, key in enumerate(batch):
            producer.produce(topic_names(clients.settings, {}).changelog, VALUE, key, number % PARTITIONS)
        producer.commit_transaction(30)


def _batches(keys: int) -> Iterator[list[bytes]]:
    chance = np.random.default_rng(4)
    for start in range(0, keys, BATCH):
        content = chance.bytes(KEY_BYTES * min(BATCH, keys - start))
        yield [content[place : place + KEY_BYTES] for place in range(0, len(content), KEY_BYTES)]


def _measure(clients: KafkaClients, store: str, folder: Path, keys: int) -> str:
    """Restore everything from nothing, then open what is up to date."""
    seconds, cpu = _restore(clients, store, folder, keys)
    again, _ = _restore(clients, store, folder, 0)
    return (
        f"{store:<8} {keys / seconds:>9,.0f} keys/s {cpu / keys * 1e6:>6.2f} us of CPU per key, all threads;"
        f" opened again in {again:.2f} s"
    )


def _restore(clients: KafkaClients, store: str, folder: Path, expected: int) -> tuple[float, float]:
    reader, state = clients.open_reader(topic_names(clients.settings, {}).changelog), STORES[store](folder)
    started, cpu, read = time.perf_counter(), time.process_time(), 0
    restorer = ChangelogRestorer(reader, state)
    for partition in range(PARTITIONS):
        restorer.start(partition)
    while restorer.restoring:
        read += sum(restorer.step(STEP_SECONDS)[1].values())
    figures = time.perf_counter() - started, time.process_time() - cpu
    reader.close()
    state.close()
    if read != expected:
        raise RuntimeError(f"{read} records were read, and {expected} expected")
    return figures


def _log_bytes(folder: Path) -> int:
    """Return the size of the changelog on the broker's disk; 0 if that is not in this folder."""
    return sum(path.stat().st_size for path in folder.glob("kafka/data/*dedupe-changelog*/*.log"))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
