"""What the one HTTP port of N workers answers: the metrics of all, told apart by `worker`, one answer to a probe."""

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from consumer.monitoring.http import Response, Route, json_response
from consumer.monitoring.metric_catalogue import WORKER_RESTARTS, WORKER_UP
from consumer.monitoring.metrics import create_counter, create_gauge, exposition
from consumer.supervisor.probe import Asked, Reply, query_workers


class MergedMetrics(Collector):
    """Every series of every worker with the label `worker`, and what the supervisor itself knows.

    The label is not called `instance`, since Prometheus gives that one to whatever it scrapes.
    """

    def __init__(self, workers: Sequence[Asked], registry: CollectorRegistry) -> None:
        self._workers = workers
        # In no registry: `collect` yields it, after the workers have answered.
        self._up = create_gauge(WORKER_UP, registry=None)
        self._restarts = create_counter(WORKER_RESTARTS, registry)
        for worker in workers:
            self._restarts.labels(worker.name)
        registry.register(self)

    def count_restart(self, name: str) -> None:
        """Count that a worker is started again."""
        self._restarts.labels(name).inc()

    def collect(self) -> Iterator[Metric]:
        """Ask all workers and yield which of them answer, and what they say, family by family."""
        replies = query_workers(self._workers, "/metrics")
        for name, reply in replies.items():
            self._up.labels(name).set(reply.status is HTTPStatus.OK)
        yield from self._up.collect()
        texts = {name: reply.body.decode() for name, reply in replies.items() if reply.status is HTTPStatus.OK}
        yield from merge_metrics(texts)


def merge_metrics(texts: Mapping[str, str]) -> Iterator[Metric]:
    """Yield each family once, with the samples of every worker; `texts` are what they answered, by worker."""
    families: dict[str, Metric] = {}
    for name, text in texts.items():
        for family in text_string_to_metric_families(text):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, {"worker": name, **sample.labels}, sample.value)
    return iter(families.values())


def merged_routes(
    workers: Sequence[Asked], registry: CollectorRegistry, versions: Mapping[str, str]
) -> Mapping[str, Route]:
    """Return what each path answers: the same paths as a single worker has."""
    return {
        "/metrics": lambda: Response(HTTPStatus.OK, CONTENT_TYPE_LATEST, exposition(registry)),
        "/livez": lambda: livez(query_workers(workers, "/livez")),
        "/readyz": lambda: readyz(query_workers(workers, "/readyz")),
        "/version": lambda: json_response(dict(versions), good=True),
    }


def livez(replies: Mapping[str, Reply]) -> Response:
    """Red where a worker says so or falls silent. One that is being started is the supervisor's care."""
    alive = all(reply.status is HTTPStatus.OK for reply in replies.values() if reply.has_port)
    return json_response({"alive": alive, "workers": _by_worker(replies)}, good=alive)


def readyz(replies: Mapping[str, Reply]) -> Response:
    """Green once every worker is ready; `assigned` has the partitions of all."""
    workers = _by_worker(replies)
    ready = all(reply.status is HTTPStatus.OK for reply in replies.values())
    assigned = sorted({partition for said in workers.values() if said for partition in said["assigned"]})
    return json_response({"ready": ready, "assigned": assigned, "workers": workers}, good=ready)


def _by_worker(replies: Mapping[str, Reply]) -> dict[str, Any]:
    return {name: json.loads(reply.body) if reply.body else None for name, reply in replies.items()}
