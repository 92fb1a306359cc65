"""The catalogue of the edge's metrics as data; names and labels are a contract with dashboards and alerts."""

from edge.exchange import AnswerKind, Prefilled
from edge.recorder import Recording
from edge.token_refusal import TokenRefusal
from runtime.monitoring.metric_spec import CounterSpec, GaugeSpec, HistogramSpec, Label, MetricSpec

STATUS = Label("status", example="an HTTP status")
KEY_ID = Label("key_id", example="a key of the keyring")

ANSWERS = CounterSpec(
    "link_actions_edge_answers_total",
    "answers",
    "Answers by kind and HTTP status.",
    (Label("kind", example=", ".join(AnswerKind)), STATUS),
)
ANSWER_SECONDS = HistogramSpec(
    "link_actions_edge_answer_seconds",
    "seconds",
    "Time from the end of a request to its answer, the spool included.",
    buckets=(0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
TOKENS = CounterSpec("link_actions_edge_tokens_total", "tokens", "Tokens opened, by key.", (KEY_ID,))
TOKENS_REFUSED = CounterSpec(
    "link_actions_edge_tokens_refused_total",
    "tokens",
    "Tokens refused, by reason.",
    (Label("reason", tuple(TokenRefusal)),),
)
CLICKS = CounterSpec(
    "link_actions_edge_clicks_total",
    "clicks",
    "Clicks by what became of them: recorded before the answer, unrecorded because neither the disk nor the broker took"
    " them in time, unsynced because the disk did not sync them (EDGE_SYNC=power; they are published unless the power"
    " fails), or rate limited because their token is clicked too often.",
    (Label("recording", tuple(Recording)),),
)
PREFILLS = CounterSpec(
    "link_actions_edge_prefills_total",
    "forms",
    "Forms for which facts about the person were asked, by result: filled, unknown to the service, or failed.",
    (Label("result", tuple(Prefilled)),),
)
RECORDS_PUBLISHED = CounterSpec(
    "link_actions_edge_records_published_total", "records", "Records of the spool that the broker has acknowledged."
)
SPOOL_BYTES = GaugeSpec("link_actions_edge_spool_bytes", "bytes", "Size of the spool on disk, all processes together.")
SPOOL_OLDEST_SECONDS = GaugeSpec(
    "link_actions_edge_spool_oldest_seconds",
    "seconds",
    "Age of the oldest record that the broker does not have; 0 if none.",
)
SPOOL_DAMAGED = GaugeSpec(
    "link_actions_edge_spool_damaged_files", "files", "Files of the spool that were set aside because they are damaged."
)
SPOOL_REFUSED = GaugeSpec(
    "link_actions_edge_spool_refused_records",
    "records",
    "Records of the spool that the broker refuses for good, each kept in a file of its own.",
)

CATALOGUE = tuple(value for value in tuple(globals().values()) if isinstance(value, MetricSpec))
"""Every metric defined above, in that order."""
