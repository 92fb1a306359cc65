"""The catalogue of the script worker's metrics as data; names and labels are a contract with dashboards and alerts."""

from math import nan

from runtime.monitoring.metric_spec import CounterSpec, GaugeSpec, HistogramSpec, Label, MetricSpec
from runtime.stream.observer import TransactionResult
from schemas.bad_record import Reason
from scripts.worker.reasons import ScriptReason

PARTITION = Label("partition", example="number of a partition")
SCRIPT = Label("script", example="tenant/script, or other for all beyond the first hundred")

RUNS = CounterSpec("link_actions_scripts_runs_total", "runs", "Runs of scripts that ended well, by script.", (SCRIPT,))
FAILURES = CounterSpec(
    "link_actions_scripts_failures_total",
    "updates",
    "Script updates that became dead letters, by reason and script.",
    (Label("reason", example=", ".join([*ScriptReason, *Reason])), SCRIPT),
)
EFFECTS = CounterSpec("link_actions_scripts_effects_total", "updates", "Effects emitted.")
NOT_APPLICABLE = CounterSpec(
    "link_actions_scripts_not_applicable_total",
    "effects",
    "Effects left out because they need a person or company that is not known.",
)
FUEL = HistogramSpec(
    "link_actions_scripts_fuel",
    "instructions",
    "Fuel of each run, whatever came of it.",
    buckets=(300_000, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 5e8),
)
SANDBOX_RESTARTS = GaugeSpec(
    "link_actions_scripts_sandbox_restarts", "processes", "Sandbox processes that had to be replaced since the start."
)
OPEN_BREAKERS = GaugeSpec(
    "link_actions_scripts_disabled_versions",
    "versions",
    "Versions of scripts that do not run since they kept failing.",
)
TRANSACTIONS = CounterSpec(
    "link_actions_scripts_transactions_total",
    "transactions",
    "Transactions by result.",
    (Label("result", tuple(TransactionResult)),),
)
LAG = GaugeSpec(
    "link_actions_scripts_lag_records",
    "records",
    "Script updates waiting, control records included.",
    (PARTITION,),
    initial=nan,
)
LAST_COMMIT = GaugeSpec(
    "link_actions_scripts_last_commit_timestamp_seconds",
    "seconds",
    "Unix time of the last commit.",
    initial=nan,
)

CATALOGUE = tuple(value for value in tuple(globals().values()) if isinstance(value, MetricSpec))
"""Every metric defined above, in that order."""
