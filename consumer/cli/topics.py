"""`link-actions topics`: creating and checking them."""

from typing import Annotated

import typer

from consumer.cli.command_line import PlainCommand, PlainGroup
from consumer.cli.entry import command_settings, topic_names
from consumer.cli.output import complain, say
from consumer.kafka.topic_admin import KafkaTopicAdmin, create_topics
from consumer.kafka.topics import topic_specs

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions topics create --partitions 12 --replication-factor 3"""

EXAMPLE = """\b
Example:
  link-actions topics create --partitions 12 --replication-factor 3"""


@app.callback(epilog=GROUP_EXAMPLE)
def topics() -> None:
    """Create and check the topics."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def create(
    partitions: Annotated[int, typer.Option(min=1, max=10_000, help="Of clicks, updates, hits and memory.")] = 12,
    replication_factor: Annotated[int, typer.Option(min=1, max=32, help="3 where records must outlive a broker.")] = 1,
) -> None:
    """Create the topics that are missing, and check those that exist.

    More of them later are given by link-actions state repartition, which moves what is remembered along.
    """
    settings = command_settings()
    names = topic_names(settings)
    created, report = create_topics(
        KafkaTopicAdmin(settings), names, partitions=partitions, replication_factor=replication_factor
    )
    for name in created:
        say(f"created {name}")
    for difference in report.differences:
        complain(f"{difference.severity}: {difference}")
    count = report.require()
    say(f"{len(topic_specs(names))} topics are as they must be, with {count} partitions")
