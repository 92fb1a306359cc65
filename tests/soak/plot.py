"""The soak as a picture: memory, latency and lag over time, with a line at each fault."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.soak.run import Soak
from tests.soak.sample import ProcessSample

Sample = TypeVar("Sample")
MAX_POINTS = 400
"""Most points drawn of one line; more could not be told apart and would bloat the picture."""


def plot(soak: Soak, path: Path) -> None:
    """Write the picture as SVG."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "soak", "path.simplify": True, "font.size": 9})
    figure = Figure(figsize=(10, 8), layout="constrained")
    memory, latency, lag = figure.subplots(3, sharex=True)
    _draw_memory(memory, soak.processes)
    seen = _thinned([each for each in soak.streams if each.p50_ms is not None])
    minutes = [each.seconds / 60 for each in seen]
    latency.plot(minutes, [each.p50_ms or 0.0 for each in seen], label="p50")
    latency.plot(minutes, [each.p99_ms or 0.0 for each in seen], label="p99")
    latency.set(ylabel="latency, ms", yscale="log")
    latency.legend(loc="upper right")
    streams = _thinned(soak.streams)
    lag.plot([each.seconds / 60 for each in streams], [each.lag for each in streams])
    lag.set(ylabel="clicks not committed", xlabel="minutes", yscale="symlog", ylim=(0, None))
    for axes in (memory, latency, lag):
        for seconds, _ in soak.faults:
            axes.axvline(seconds / 60, color="tab:red", linewidth=0.6, alpha=0.6)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_memory(axes: Axes, processes: Sequence[ProcessSample]) -> None:
    for life, samples in groupby(sorted(processes, key=lambda each: (each.life, each.seconds)), lambda each: each.life):
        some = _thinned(list(samples))
        minutes = [each.seconds / 60 for each in some]
        (line,) = axes.plot(minutes, [each.resident_mib for each in some], label=life, linewidth=1)
        anonymous = [each.anonymous_mib for each in some]
        axes.plot(minutes, anonymous, label="_anonymous", linewidth=1, linestyle=":", color=line.get_color())
    axes.set(ylabel="resident (dotted: anonymous), MiB", ylim=(0, None))
    if len(axes.lines) <= 16:
        axes.legend(loc="lower right")


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples[:: max(len(samples) // MAX_POINTS, 1)]
