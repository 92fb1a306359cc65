"""The catalogue of metrics as data: name, type, unit, labels and help of each.

`/metrics`, docs/metrics.md (`make metrics`) and the tests of both are made from it. Names and labels are a contract
with dashboards and alerts.
"""

from enum import StrEnum
from math import nan

from consumer.decision.outcome import ActionOutcome, ClickOutcome, NoActionsReason
from runtime.monitoring.metric_spec import CounterSpec, GaugeSpec, HistogramSpec, Label, MetricSpec
from runtime.stream.observer import TransactionResult
from runtime.supervisor.metrics import SUPERVISOR_METRICS
from schemas.bad_record import Reason


class Stage(StrEnum):
    """The stages of a batch, in their order."""

    GATHER = "gather"
    DECIDE = "decide"
    PRODUCE = "produce"
    COMMIT = "commit"
    STORE = "store"


class RebalanceType(StrEnum):
    """The change that a rebalance made to this worker's partitions."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"


KIND = Label("kind", example="a kind of action")
PARTITION = Label("partition", example="a partition of the clicks topic")

RECORDS_CONSUMED = CounterSpec(
    "link_actions_records_consumed_total", "records", "Records consumed from the clicks topic."
)
CLICKS = CounterSpec(
    "link_actions_clicks_total",
    "records",
    "Consumed records by outcome; the outcomes add up to link_actions_records_consumed_total.",
    (Label("outcome", tuple(ClickOutcome)),),
)
CLICKS_WITHOUT_ACTIONS = CounterSpec(
    "link_actions_clicks_without_actions_total",
    "clicks",
    "Clicks with the outcome without_actions, by reason.",
    (Label("reason", tuple(NoActionsReason)),),
)
ACTIONS = CounterSpec(
    "link_actions_actions_total",
    "actions",
    "Actions of clicks by kind and outcome.",
    (KIND, Label("outcome", tuple(ActionOutcome))),
)
DEAD_LETTERS = CounterSpec(
    "link_actions_dead_letters_total", "records", "Dead letters by reason.", (Label("reason", tuple(Reason)),)
)
CLICKS_LOST = CounterSpec(
    "link_actions_clicks_lost_total",
    "clicks",
    "Clicks that an operator chose to skip, over all time; the partition's next owner continues the count.",
    (PARTITION,),
)
CLICK_AGE = HistogramSpec(
    "link_actions_click_age_seconds",
    "seconds",
    "Age of a click when its batch was committed.",
    buckets=(0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0),
)
LAG = GaugeSpec(
    "link_actions_lag_records",
    "records",
    "Records of a partition that are not committed yet, control records included.",
    (PARTITION,),
)
BATCH_SECONDS = HistogramSpec(
    "link_actions_batch_seconds",
    "seconds",
    "Duration of one batch by stage.",
    (Label("stage", tuple(Stage)),),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
BATCH_RECORDS = HistogramSpec(
    "link_actions_batch_records",
    "records",
    "Records of one batch.",
    buckets=(1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000),
)
TRANSACTIONS = CounterSpec(
    "link_actions_transactions_total",
    "transactions",
    "Transactions by result; unknown if the broker did not answer in time.",
    (Label("result", tuple(TransactionResult)),),
)
LAST_COMMIT = GaugeSpec(
    "link_actions_last_commit_timestamp_seconds",
    "seconds since 1970 UTC",
    "Time of the last committed transaction; NaN before the first.",
    initial=nan,
)
LAST_PROGRESS = GaugeSpec(
    "link_actions_last_progress_timestamp_seconds",
    "seconds since 1970 UTC",
    "Last time the worker started, committed a batch, restored state or had nothing left to do.",
    initial=nan,
)
PARTITIONS_ASSIGNED = GaugeSpec("link_actions_partitions_assigned", "partitions", "Partitions assigned to this worker.")
REBALANCES = CounterSpec(
    "link_actions_rebalances_total",
    "rebalances",
    "Rebalances that assigned or revoked partitions.",
    (Label("type", tuple(RebalanceType)),),
)
RESTORE_RECORDS = CounterSpec(
    "link_actions_restore_records_total", "records", "Changelog records read to restore the state."
)
RESTORE_REMAINING = GaugeSpec(
    "link_actions_restore_remaining_records",
    "records",
    "Changelog records still to be read before the partition is restored.",
    (PARTITION,),
)
DEFINITIONS_READ = CounterSpec("link_actions_definitions_read_total", "definitions", "Link definitions read.")
STATE_KEYS = GaugeSpec("link_actions_state_keys", "keys", "Keys in the local state; an estimate with RocksDB.")
STATE_MEMORY = GaugeSpec(
    "link_actions_state_memory_bytes", "bytes", "Memory used by the local state, without the page cache."
)
STATE_DISK = GaugeSpec("link_actions_state_disk_bytes", "bytes", "Disk space used by the local state.")
BUILD = GaugeSpec(
    "link_actions_build_info",
    "none",
    "Versions of the program; always 1.",
    tuple(Label(name, example="a version") for name in ("link_actions", "librdkafka", "python")),
)

CATALOGUE = (*(value for value in tuple(globals().values()) if isinstance(value, MetricSpec)), *SUPERVISOR_METRICS)
"""Every metric defined above, in that order, and those of the supervisor."""
