"""The composition root of `link-actions run --workers N`."""

from collections.abc import Mapping, Sequence
from queue import SimpleQueue

import structlog
from prometheus_client import CollectorRegistry

from runtime.config.settings import LogFormat, Settings, instance_ids
from runtime.errors import ExitCode
from runtime.monitoring.http import HttpServer
from runtime.monitoring.log_stream import LogStream
from runtime.monitoring.logs import chosen_format
from runtime.monitoring.version import versions
from runtime.state.disk import require_writable
from runtime.state.factory import state_folders
from runtime.supervisor.child import Child, worker_environment
from runtime.supervisor.merged_endpoints import MergedMetrics, merged_routes
from runtime.supervisor.supervisor import Events, Supervisor

_LOG = structlog.get_logger(__name__)


def run_workers(
    settings: Settings, environ: Mapping[str, str], *, workers: int, drain: bool, program: Sequence[str]
) -> ExitCode:
    """Run N workers until SIGTERM or SIGINT, or until everything is drained; return the exit code.

    `program` starts a worker, which reads its settings from `environ` again.
    Raises UsageError or Unavailable if a state folder is not writable.
    """
    for folder in state_folders(settings, workers):
        require_writable(folder)
    events: Events = SimpleQueue()
    log = LogStream() if chosen_format(settings.log_format) is LogFormat.JSON else None
    arguments = ["--drain"] if drain else []
    children = [
        Child(name, worker_environment(environ, name), arguments, on_exit=events.put, program=program, log=log)
        for name in instance_ids(settings.instance_id, workers)
    ]
    registry = CollectorRegistry()
    metrics = MergedMetrics(children, registry)
    supervisor = Supervisor(children, events, is_done_at_zero=drain, on_restart=metrics.count_restart)
    server = HttpServer(settings.http_port, merged_routes(children, registry, versions()), host=settings.http_host)
    server.start()
    try:
        code = supervisor.run()
    finally:
        server.stop()
    _LOG.info("supervisor.stopped", exit_code=int(code))
    return code
