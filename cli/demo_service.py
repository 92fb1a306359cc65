"""`link-actions demo --serve`: links to click in a browser, and the updates that come of them."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

from actions.registry import load_kinds
from cli.output import say, say_json
from cli.updates import shower_of
from consumer.demo.environment import PARTITIONS, Environment
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.service import running_service
from consumer.inspect.record_view import view_record
from runtime.errors import Unavailable
from runtime.kafka.admin.topic_reader import open_reader
from schemas.record_schema import load_schemas


def serve(
    environment: Environment | None, reporter: ProgressReporter, environ: Mapping[str, str], *, as_json: bool
) -> None:
    """Serve until SIGINT or SIGTERM. Raises Unavailable without a Kafka, or another LinkActionsError."""
    if environment is None:
        raise Unavailable("demo --serve needs a Kafka; install Docker, or Java 17 with Maven")
    try:
        with running_service(environment, reporter, environ) as urls:
            reporter.say("open these links in a browser; each update is shown as it arrives, until Ctrl-C")
            for link_id, url in urls.items():
                if as_json:
                    say_json({"link": link_id, "url": url})
                else:
                    say(f"{link_id:<10}{url}")
            _show_updates(environment, as_json=as_json)
    except KeyboardInterrupt:
        reporter.say("the edge and the worker are stopped")


def _show_updates(environment: Environment, *, as_json: bool) -> None:
    """Show updates and the answers to forms without end."""
    schemas, names = load_schemas(), environment.names
    shower = shower_of(names, load_kinds(schemas), schemas, None, as_json=as_json)
    with closing(open_reader(environment.settings.kafka)) as reader:
        spans = reader.spans(dict.fromkeys([*names.updates.values(), names.forms], PARTITIONS))
        for message in reader.read([replace(span, end=None) for span in spans]):
            shower.show(view_record(message))
