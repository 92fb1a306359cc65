"""`link-actions topics`: creates and checks topics."""

from typing import Annotated

import typer

from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings, topic_names
from cli.output import complain, say
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from runtime.kafka.admin.topics import Severity, require_wanted, topic_specs
from runtime.terminal.text import counted

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

PARTITIONS = 12
"""Default partition count: the most workers that can run before a repartitioning."""

GROUP_EXAMPLE = EXAMPLE = """\b
Example:
  link-actions topics create --partitions 12 --replication-factor 3"""


@app.callback(epilog=GROUP_EXAMPLE)
def topics() -> None:
    """Create and check the topics."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def create(
    *,
    partitions: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help=f"Partitions of clicks, updates, hits and changelog; {PARTITIONS} if new.",
        ),
    ] = None,
    replication_factor: Annotated[
        int | None,
        typer.Option(min=1, max=32, help="Replicas of new topics; 3 in production.  [default: 1]"),
    ] = None,
) -> None:
    """Create missing topics and check existing ones.

    To add partitions later, run link-actions state repartition, which also moves the dedupe state.
    """
    settings = command_settings()
    names, admin = topic_names(settings), KafkaTopicAdmin(settings.kafka)
    states = admin.read_topics([spec.name for spec in topic_specs(names)])
    require_wanted(names, states, partitions=partitions, replication_factor=replication_factor)
    created, report = create_topics(
        admin, names, partitions=partitions or PARTITIONS, replication_factor=replication_factor or 1
    )
    for name in created:
        say(f"created {name}")
    for difference in report.differences:
        if difference.severity is Severity.WARN:
            complain(f"warn: {difference}")
    count = report.require()
    say(f"{len(topic_specs(names))} topics are correct, with {counted(count, 'partition')}")
