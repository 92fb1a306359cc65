"""The metrics that the supervisor adds to those of its workers."""

from runtime.monitoring.metric_spec import CounterSpec, GaugeSpec, Label

WORKER = Label("worker", example="the instance id of a worker")

WORKER_UP = GaugeSpec(
    "link_actions_worker_up",
    "none",
    "1 if the worker answered this scrape, otherwise 0.",
    (WORKER,),
    exported_by="supervisor",
)
WORKER_RESTARTS = CounterSpec(
    "link_actions_worker_restarts_total",
    "restarts",
    "Restarts of a worker by its supervisor.",
    (WORKER,),
    exported_by="supervisor",
)

SUPERVISOR_METRICS = (WORKER_UP, WORKER_RESTARTS)
