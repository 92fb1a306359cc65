"""The results as tables, in Markdown, which reads well on a terminal too."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from bench.candidate import Candidate
from bench.measure import Cost
from bench.runner import Result
from bench.target import SUBJECT, TARGETS

Cells = Sequence[str]
_COLUMNS = (
    "candidate", "guarantee", "µs CPU/click", "with start", "clicks/s", "peak MiB", "broker µs/click",
)  # fmt: skip


def tables(results: Sequence[Result], candidates: Sequence[Candidate]) -> str:
    """Return a table of each shape, one of all shapes where there are several, and one of the targets
    that these candidates are for.
    """
    shapes = list(dict.fromkeys(result.shape for result in results))
    parts = [f"### {shape}\n\n{table(_COLUMNS, _rows(shape, results, candidates))}" for shape in shapes]
    parts.append(
        f"### targets\n\n{table(('figure', 'shape', 'limit', 'measured', ''), _target_rows(results, candidates))}"
    )
    return "\n\n".join(parts) + "\n"


def _rows(shape: str, results: Sequence[Result], candidates: Sequence[Candidate]) -> Iterable[Cells]:
    for candidate in candidates:
        costs = [each.cost for each in results if (each.shape, each.candidate) == (shape, candidate.name)]
        if costs:
            yield (candidate.name, candidate.guarantee, *_figures(costs))


def _figures(costs: Sequence[Cost]) -> Cells:
    brokers = [cost.broker_us for cost in costs if cost.broker_us is not None]
    return (
        spread([cost.cpu_us for cost in costs], "{:.2f}".format),
        spread([cost.total_cpu_us for cost in costs], "{:.2f}".format),
        spread([cost.clicks_per_second for cost in costs], "{:,.0f}".format),
        spread([cost.peak_mib for cost in costs], "{:.0f}".format),
        spread(brokers, "{:.2f}".format) if brokers else "",
    )


def _target_rows(results: Sequence[Result], candidates: Sequence[Candidate]) -> Iterable[Cells]:
    names = {candidate.name for candidate in candidates}
    for target in (target for target in TARGETS if target.other in names):
        evaluation = target.evaluate(results)
        measured = spread(evaluation.ratios, "{:.2f}".format) if evaluation.ratios else ""
        what = f"{target.what}, {SUBJECT} / {target.other}"
        yield what, target.shape, f"≤ {target.limit:g}", measured, evaluation.result


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Return the median, and the range if there are several values."""
    if len(values) == 1:
        return form(values[0])
    return f"{form(median(values))} ({form(min(values))}–{form(max(values))})"


def table(columns: Cells, rows: Iterable[Cells]) -> str:
    """Return a table with aligned columns."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    told = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines]  # fmt: skip
    return "\n".join([told[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *told[1:]])
