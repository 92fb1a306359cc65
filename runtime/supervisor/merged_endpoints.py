"""The HTTP endpoints of N workers merged into one port: their metrics by the label `worker`, one answer per probe."""

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from runtime.monitoring.http import Response, Route, json_response
from runtime.monitoring.metric_set import create_counter, create_gauge, exposition
from runtime.supervisor.metrics import WORKER_RESTARTS, WORKER_UP
from runtime.supervisor.probe import Reply, WorkerEndpoint, query_workers


class MergedMetrics(Collector):
    """Collects every series of every worker with the label `worker`, and the supervisor's own metrics.

    The label is not `instance`, because Prometheus sets that one for each target.
    """

    def __init__(self, workers: Sequence[WorkerEndpoint], registry: CollectorRegistry) -> None:
        self._workers = workers
        # In no registry: `collect` yields it, after the workers have answered.
        self._up = create_gauge(WORKER_UP, registry=None)
        self._restarts = create_counter(WORKER_RESTARTS, registry)
        for worker in workers:
            self._restarts.labels(worker.name)
        registry.register(self)

    def count_restart(self, name: str) -> None:
        """Count a restart of a worker."""
        self._restarts.labels(name).inc()

    def collect(self) -> Iterator[Metric]:
        """Query all workers; yield which of them answered, and then their metrics, family by family."""
        replies = query_workers(self._workers, "/metrics")
        for name, reply in replies.items():
            self._up.labels(name).set(reply.status is HTTPStatus.OK)
        yield from self._up.collect()
        texts = {name: reply.body.decode() for name, reply in replies.items() if reply.status is HTTPStatus.OK}
        yield from merge_metrics(texts)


def merge_metrics(texts: Mapping[str, str]) -> Iterator[Metric]:
    """Yield each family once with the samples of every worker; `texts` are their expositions by worker."""
    families: dict[str, Metric] = {}
    for name, text in texts.items():
        for family in text_string_to_metric_families(text):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, {"worker": name, **sample.labels}, sample.value)
    return iter(families.values())


def merged_routes(
    workers: Sequence[WorkerEndpoint], registry: CollectorRegistry, versions: Mapping[str, str]
) -> Mapping[str, Route]:
    """Return the routes, with the same paths as those of a single worker."""
    return {
        "/metrics": lambda: Response(HTTPStatus.OK, CONTENT_TYPE_LATEST, exposition(registry)),
        "/livez": lambda: livez(query_workers(workers, "/livez")),
        "/readyz": lambda: readyz(query_workers(workers, "/readyz")),
        "/version": lambda: json_response(dict(versions), good=True),
    }


def livez(replies: Mapping[str, Reply]) -> Response:
    """Return 503 if a worker is not alive or does not answer; one without a port is still being started."""
    alive = all(reply.status is HTTPStatus.OK for reply in replies.values() if reply.has_port)
    return json_response({"alive": alive, "workers": _by_worker(replies)}, good=alive)


def readyz(replies: Mapping[str, Reply]) -> Response:
    """Return 200 if every worker is ready; `assigned` has the partitions of all."""
    workers = _by_worker(replies)
    ready = all(reply.status is HTTPStatus.OK for reply in replies.values())
    assigned = sorted({partition for body in workers.values() if body for partition in body.get("assigned", ())})
    return json_response({"ready": ready, "assigned": assigned, "workers": workers}, good=ready)


def _by_worker(replies: Mapping[str, Reply]) -> dict[str, Any]:
    return {name: json.loads(reply.body) if reply.body else None for name, reply in replies.items()}
