"""The page docs/metrics.md, made from the catalogues of metrics; `make metrics` writes it."""

from collections.abc import Iterable
from pathlib import Path

from consumer.monitoring.metric_catalogue import CATALOGUE
from edge.metric_catalogue import CATALOGUE as EDGE_CATALOGUE
from runtime.monitoring.metric_spec import HistogramSpec, Label, MetricSpec
from scripts.worker.metric_catalogue import CATALOGUE as SCRIPT_CATALOGUE

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
HEAD = """\
# Metrics

For anyone who builds dashboards or alerts. [What to alert on](operations.md#watching-it) is in the operations guide.
`make metrics` makes it from the catalogues of [workers](../consumer/monitoring/metric_catalogue.py),
[edges](../edge/metric_catalogue.py) and [script workers](../scripts/worker/metric_catalogue.py); a test compares them.

Every series whose labels are known in advance exists from the start, at 0. Counters start at zero with each process,
except `link_actions_clicks_lost_total`. Prometheus' own `process_*` metrics (memory, CPU, files) come with them.
"""
COLUMNS = ("metric", "type", "unit", "labels", "meaning")


def metrics_page() -> str:
    """Return the page."""
    return "\n".join([
        HEAD,
        "## Of a worker\n",
        *_table(spec for spec in CATALOGUE if spec.exported_by == "worker"),
        "\n## Of an edge\n",
        *_table(EDGE_CATALOGUE),
        "\n## Of a script worker\n",
        *_table(SCRIPT_CATALOGUE),
        "\n## Of a supervisor\n",
        "`--workers N` exports every series of every worker with the additional label `worker`, and these:\n",
        *_table(spec for spec in CATALOGUE if spec.exported_by == "supervisor"),
        "",
    ])  # fmt: skip


def _table(specs: Iterable[MetricSpec]) -> list[str]:
    rows = [[f"`{each.name}`", each.type, each.unit, _labels(each.labels), _meaning(each)] for each in specs]
    return [_row(COLUMNS), _row(["---"] * len(COLUMNS)), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _labels(labels: Iterable[Label]) -> str:
    return "; ".join(f"`{label.name}`: {_values(label)}" for label in labels)


def _values(label: Label) -> str:
    return ", ".join(f"`{value}`" for value in label.values) or label.example


def _meaning(spec: MetricSpec) -> str:
    buckets = f" Buckets from {spec.buckets[0]:g} to {spec.buckets[-1]:g}." if isinstance(spec, HistogramSpec) else ""
    return spec.help + buckets


if __name__ == "__main__":
    PAGE.write_text(metrics_page())
