"""The two backends for the calls that each batch makes: compiled against librdkafka, or through `confluent_kafka`.

They behave alike. Rare calls (opening, committing, rebalances, errors) go through `confluent_kafka` in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runtime.kafka import librdkafka_batches_py, librdkafka_consumer_py, librdkafka_producer_py
from runtime.kafka.backend_ports import OpenBatchProducer, OpenFetcher, ProduceBatch
from runtime.records.implementation import is_python_only

LIBRDKAFKA, CONFLUENT_KAFKA = "librdkafka", "confluent_kafka"


@dataclass(frozen=True, slots=True)
class Backend:
    """The calls of one backend."""

    open_fetcher: OpenFetcher
    produce_batch: ProduceBatch
    open_batch_producer: OpenBatchProducer


_PYTHON = {
    CONFLUENT_KAFKA: Backend(
        librdkafka_consumer_py.ClickFetcher, librdkafka_producer_py.produce_batch, librdkafka_batches_py.BatchProducer
    )
}
try:
    from runtime.kafka import librdkafka_batches, librdkafka_consumer, librdkafka_producer
except ImportError:  # installed without a C compiler, or with another version of the client library
    _AVAILABLE = _PYTHON
else:
    _COMPILED = Backend(
        librdkafka_consumer.ClickFetcher, librdkafka_producer.produce_batch, librdkafka_batches.BatchProducer
    )
    _AVAILABLE = {LIBRDKAFKA: _COMPILED} | _PYTHON

BACKENDS: Mapping[str, Backend] = MappingProxyType(_AVAILABLE)
"""The available backends by name, the fastest first."""


def best_backend() -> str:
    """Return the name of the fastest available backend."""
    return CONFLUENT_KAFKA if is_python_only() else next(iter(BACKENDS))
