"""The two ways to the client library: its binding for Python, and its C interface, where that could be built.

They do the same, and what is rare (opening, committing, rebalances, errors) goes through the binding in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consumer.kafka.fetching import BindingFetcher, OpenFetcher
from consumer.kafka.sending import Send, send_one_by_one

DIRECT, BINDING = "direct", "binding"


@dataclass(frozen=True, slots=True)
class Backend:
    """How clicks are taken from a consumer, and records handed to a producer."""

    open_fetcher: OpenFetcher
    send: Send


_BINDING = {BINDING: Backend(BindingFetcher, send_one_by_one)}
try:
    from consumer.kafka.block_fetching import BlockFetcher
    from consumer.kafka.librdkafka_producer import send
except ImportError:  # no C compiler was there, or another version of the client library is
    _FOUND = _BINDING
else:
    _FOUND = {DIRECT: Backend(BlockFetcher, send)} | _BINDING

BACKENDS: Mapping[str, Backend] = MappingProxyType(_FOUND)
"""The ways that are to be had, the fastest first."""


def best_backend() -> str:
    """Return the name of the way to use."""
    return next(iter(BACKENDS))
