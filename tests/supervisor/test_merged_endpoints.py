"""The endpoints of several workers merged into one port."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from runtime.monitoring.http import LOOPBACK, HttpServer, Response, Route, json_response
from runtime.supervisor.merged_endpoints import MergedMetrics, livez, merge_metrics, readyz
from runtime.supervisor.probe import Reply, query_workers


@dataclass
class FakeEndpoint:
    """A worker's name and port."""

    name: str
    port: int | None = None


def text_of(clicks: int) -> str:
    registry = CollectorRegistry()
    Counter("clicks_total", "Clicks.", ("outcome",), registry=registry).labels("applied").inc(clicks)
    Gauge("lag", "Lag.", registry=registry).set(clicks + 1)
    Histogram("seconds", "Time.", registry=registry, buckets=(1, 2)).observe(1.5)
    return generate_latest(registry).decode()


def reply(status: int, **body: object) -> Reply:
    return Reply(has_port=True, status=HTTPStatus(status), body=json.dumps(body).encode())


STARTING = Reply(has_port=False)
NO_ANSWER = Reply(has_port=True)


def up(registry: CollectorRegistry) -> dict[str, float]:
    """Return `worker_up` of each worker in one scrape."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    (found,) = (family for family in families if family.name == "link_actions_worker_up")
    return {sample.labels["worker"]: sample.value for sample in found.samples}


class Merged(Collector):
    """Collects merged metrics."""

    def __init__(self, *texts: str) -> None:
        self._texts = {f"w-{number}": text for number, text in enumerate(texts, start=1)}

    def collect(self) -> Iterator[Metric]:
        return merge_metrics(self._texts)


def test_metrics_of_all_types_are_merged_by_worker() -> None:
    registry = CollectorRegistry()
    registry.register(Merged(text_of(3), text_of(40)))
    shown = generate_latest(registry).decode()
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }

    assert samples["clicks_total", ("outcome", "applied"), ("worker", "w-1")] == 3
    assert samples["clicks_total", ("outcome", "applied"), ("worker", "w-2")] == 40
    assert samples["lag", ("worker", "w-2")] == 41
    assert samples["seconds_bucket", ("le", "1.0"), ("worker", "w-1")] == 0
    assert samples["seconds_bucket", ("le", "2.0"), ("worker", "w-1")] == 1
    assert samples["seconds_sum", ("worker", "w-2")] == 1.5
    assert shown.count("# TYPE clicks_total counter") == 1
    assert shown.count("# TYPE seconds histogram") == 1


def test_worker_up_is_measured_at_each_scrape() -> None:
    worker_routes: dict[str, Route] = {
        "/metrics": lambda: Response(HTTPStatus.OK, CONTENT_TYPE_LATEST, text_of(3).encode())
    }
    server = HttpServer(0, worker_routes, host=LOOPBACK)
    server.start()
    registry = CollectorRegistry()
    MergedMetrics([FakeEndpoint("w-1", server.port), FakeEndpoint("w-2")], registry)
    first = up(registry)
    server.stop()

    assert (first, up(registry)) == ({"w-1": 1, "w-2": 0}, {"w-1": 0, "w-2": 0})


def test_workers_are_queried_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = HttpServer(0, {"/livez": lambda: json_response({}, good=True)}, host=LOOPBACK)
    server.start()
    replies = query_workers([FakeEndpoint("w-1", server.port)], "/livez")
    server.stop()

    assert replies["w-1"].status == HTTPStatus.OK


def test_alive_if_every_started_worker_is_alive() -> None:
    alive = reply(200, alive=True)
    assert livez({"a": alive, "b": STARTING}).status == HTTPStatus.OK
    for dead in (NO_ANSWER, reply(503, alive=False)):
        assert livez({"a": alive, "b": dead}).status == HTTPStatus.SERVICE_UNAVAILABLE


def test_ready_if_every_worker_is_ready() -> None:
    first, second = reply(200, ready=True, assigned=[2, 0]), reply(200, ready=True, assigned=[1])
    both = readyz({"a": first, "b": second})
    assert both.status == HTTPStatus.OK
    assert json.loads(both.body)["assigned"] == [0, 1, 2]
    for unready in (STARTING, NO_ANSWER, reply(503, ready=False, assigned=[])):
        answer = readyz({"a": first, "b": unready})
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert json.loads(answer.body)["assigned"] == [0, 2]


def test_a_worker_that_does_not_answer_has_a_port_all_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert query_workers([FakeEndpoint("w", port)], "/livez") == {"w": NO_ANSWER}
