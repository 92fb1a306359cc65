"""Makes a prefilled state: row files and a changelog like those of a worker that has processed many clicks.

The keys are random digests, of recipients who belong to the partition, and of the links that are clicked. Spread evenly
among them are the keys of the clicks that the workload wants remembered.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
from confluent_kafka import Producer

from bench.candidate import Job
from bench.environment import PARTITIONS
from bench.links import EPOCH, START_MS, TENANT, link_id
from bench.workload import Workload, click_key
from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from consumer.changelog.entries import DEDUPE_KEY_BYTES, DedupeEntry, encode_entry
from runtime.config.settings import Settings
from runtime.kafka.clients import KafkaClients
from runtime.state.rowfile.state import RowFileState
from schemas.identity import (
    KEY_HASH_BYTES,
    LINK_DIGEST_BYTES,
    RECIPIENT_DIGEST_BYTES,
    link_digest,
    partition_of,
    recipient_digest,
)

_LOAD = 50_000
_VALUE = encode_entry(DedupeEntry(START_MS - 86_400_000, applied=1))
_POSITION = 1
"""After the one record that each partition of the changelog gets, as if all others had been compacted away."""
_LINK_START = RECIPIENT_DIGEST_BYTES + KEY_HASH_BYTES


def fill(job: Job, workloads: Sequence[Workload], count: int) -> int:
    """Give the worker of this job an up-to-date state of that many keys; return its bytes on disk.

    It has an entry for each click that the shape of these workloads wants remembered.
    """
    settings = Settings(bootstrap_servers=job.servers, group_id=job.group, topic_prefix=job.prefix)
    _write_changelog(job)
    with closing(KafkaClients(settings.kafka).open_reader(job.changelog)) as reader:
        changelog = reader.topic_id()
    folder = job.folder / "state" / job.group
    remembered: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    for partition, key in chain.from_iterable(map(_remembered, workloads)):
        remembered[partition].append(key)
    with closing(RowFileState(folder)) as state:
        for partition, mine in enumerate(remembered):
            store = state.open(partition, changelog)
            store.write({CHECKPOINT_KEY: Checkpoint(PARTITIONS).encode()}, _POSITION)
            for keys in _loads(partition, mine, count // PARTITIONS, workloads[0].shape.links):
                store.write(dict.fromkeys(keys, _VALUE), _POSITION)
            state.release(partition)
    return sum(map(_settle, folder.rglob("rows-*")))


def _write_changelog(job: Job) -> None:
    producer = Producer({"bootstrap.servers": job.servers, "log_level": 2})
    for partition in range(PARTITIONS):
        producer.produce(job.changelog, Checkpoint(PARTITIONS).encode(), CHECKPOINT_KEY, partition)
    producer.flush()


def _remembered(workload: Workload) -> Iterator[tuple[int, bytes]]:
    """Yield partition and dedupe key of each such click."""
    for link, click in workload.remembered():
        key = click_key(click)
        yield partition_of(key, PARTITIONS), recipient_digest(key) + link_digest(TENANT, link_id(link), EPOCH)


def _loads(partition: int, remembered: list[bytes], count: int, links: int) -> Iterator[Iterable[bytes]]:
    """Yield all keys of a partition, some at a time."""
    chance = np.random.default_rng(partition)
    digests = b"".join(link_digest(TENANT, link_id(number), EPOCH) for number in range(links))
    known_links = np.frombuffer(digests, dtype=np.uint8).reshape(links, LINK_DIGEST_BYTES)
    loads = -(-count // _LOAD)
    for number in range(loads):
        known = remembered[number::loads]
        size = min(_LOAD, count - number * _LOAD) - len(known)
        keys = np.empty((max(size, 0), DEDUPE_KEY_BYTES), dtype=np.uint8)
        places = chance.integers(0, (1 << 31) // PARTITIONS, len(keys)) * PARTITIONS + partition
        keys[:, :RECIPIENT_DIGEST_BYTES] = chance.integers(0, 256, (len(keys), RECIPIENT_DIGEST_BYTES), dtype=np.uint8)
        keys[:, RECIPIENT_DIGEST_BYTES:_LINK_START] = places.astype(">u4").view(np.uint8).reshape(-1, KEY_HASH_BYTES)
        keys[:, _LINK_START:] = known_links[chance.integers(0, links, len(keys))]
        yield [*keys.view(f"V{DEDUPE_KEY_BYTES}").ravel().tolist(), *known]


def _settle(path: Path) -> int:
    """Sync the file, so that writeback disturbs no measurement; return its size on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_blocks * 512
