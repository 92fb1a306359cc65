"""`/metrics` and the docs agree with the catalogue of metrics."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from consumer.monitoring.metric_catalogue import CATALOGUE
from consumer.monitoring.metrics import Metrics
from edge.exchange import Answer, AnswerKind
from edge.metric_catalogue import CATALOGUE as EDGE_CATALOGUE
from edge.metrics import EdgeMetrics
from edge.recorder import Recording
from edge.token_refusal import TokenRefusal
from runtime.monitoring.metric_set import MetricSet, exposition
from runtime.monitoring.metric_spec import CounterSpec, Label, MetricSpec
from runtime.monitoring.version import versions
from runtime.supervisor.merged_endpoints import MergedMetrics
from scripts.worker.metric_catalogue import CATALOGUE as SCRIPT_CATALOGUE
from tests.monitoring.metrics_page import PAGE, metrics_page

DOCS = [*PAGE.parent.glob("**/*.md"), PAGE.parents[1] / "README.md"]
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


class StoppedWorker:
    """A worker that does not answer."""

    name = "worker-1"
    port = None


ALL = (*CATALOGUE, *EDGE_CATALOGUE, *SCRIPT_CATALOGUE)


def exposed() -> dict[str, Metric]:
    """Return the families that workers, a supervisor and an edge expose, by the name in the catalogue."""
    worker, supervisor = CollectorRegistry(), CollectorRegistry()
    edge = EdgeMetrics(CollectorRegistry())
    answer = Answer(AnswerKind.REDIRECT, 302, (), key_id=1, refusal=TokenRefusal.HOST)
    edge.answered(answer, Recording.RECORDED, 0.001)
    scripts = MetricSet(CollectorRegistry(), SCRIPT_CATALOGUE)
    metrics = Metrics(worker, kinds=["set_field"], versions=versions())
    metrics.set_clicks_lost(0, 1)
    MergedMetrics([StoppedWorker()], supervisor)
    text = (metrics.exposition() + exposition(supervisor) + edge.exposition() + scripts.exposition()).decode()
    families = [each for each in text_string_to_metric_families(text) if each.name.startswith("link_actions_")]
    return {f"{each.name}_total" if each.type == "counter" else each.name: each for each in families}


def test_metrics_endpoint_exposes_exactly_the_catalogue() -> None:
    assert exposed().keys() == {spec.name for spec in ALL}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_exposed_metric_is_as_catalogued(spec: MetricSpec) -> None:
    metric = exposed()[spec.name]

    assert (metric.type, metric.documentation) == (spec.type, spec.help)
    assert {name for sample in metric.samples for name in sample.labels} <= {*spec.label_names, "le"}
    assert all(known_values(metric, label) == set(label.values) for label in spec.labels if label.values)


def known_values(metric: Metric, label: Label) -> set[str]:
    return {sample.labels[label.name] for sample in metric.samples}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_catalogued_metric_follows_the_naming_rules_of_prometheus(spec: MetricSpec) -> None:
    assert re.fullmatch(r"link_actions(_[a-z]+)+", spec.name)
    assert spec.name.endswith("_total") == isinstance(spec, CounterSpec)
    assert spec.help.endswith(".")
    assert spec.unit
    assert all(bool(label.values) != bool(label.example) for label in spec.labels)


def test_metrics_page_is_made_from_the_catalogue() -> None:
    assert PAGE.read_text() == metrics_page(), "run make metrics"


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_docs_name_only_catalogued_metrics(page: Path) -> None:
    named = {SUFFIXES.sub("", name) for name in re.findall(r"\blink_actions_[a-z_]+", page.read_text())}

    assert named <= {spec.name for spec in ALL}
