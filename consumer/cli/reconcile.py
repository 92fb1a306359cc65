"""`link-actions state reconcile`: going on where offsets, memory and clicks do not fit together."""

import sys
from contextlib import ExitStack
from functools import partial
from typing import Annotated

import typer

from consumer.app.missing_changelog import missing_changelog
from consumer.cli.entry import command_settings, topic_names
from consumer.cli.output import say
from consumer.cli.table import print_table
from consumer.config.settings import Settings
from consumer.errors import Contradictory, Unavailable, UsageError
from consumer.kafka.admin.connection import Connection
from consumer.kafka.admin.consumer_group import ConsumerGroup
from consumer.kafka.admin.topic_admin import KafkaTopicAdmin
from consumer.kafka.admin.topics import topic_specs
from consumer.loop.history import Way, explain
from consumer.maintenance.changelog_writer import ChangelogWriter
from consumer.maintenance.inspection import contradictions, open_inspection
from consumer.maintenance.reconcile import Plan, Reconciling
from schemas.topics import TopicNames

BROKERS_CHOICE = -1
EXAMPLE = """\b
Example:
  link-actions state reconcile
  link-actions state reconcile --skip-lost-clicks --dry-run
  link-actions state reconcile --skip-lost-clicks"""


def reconcile(
    *,
    accept_lost_memory: Annotated[
        bool, typer.Option("--accept-lost-memory", help="Go on with an empty memory, or with what is left of it.")
    ] = False,
    offsets_from_state: Annotated[
        bool, typer.Option("--offsets-from-state", help="Go on from the offset that the memory was made up to.")
    ] = False,
    offsets_from_group: Annotated[
        bool, typer.Option("--offsets-from-group", help="Go on from the offset that the group has, or the first one.")
    ] = False,
    skip_lost_clicks: Annotated[
        bool, typer.Option("--skip-lost-clicks", help="Go on with the clicks that are there, and count the others.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Go on where the committed offsets, the memory and the clicks of a partition do not fit together.

    Without a way of going on it shows what it finds. Stop all workers of the group before you choose one. Offsets and
    memory are written together, so it can be stopped at any time and run again.
    """
    chosen = {
        Way.ACCEPT_LOST_MEMORY: accept_lost_memory,
        Way.OFFSETS_FROM_STATE: offsets_from_state,
        Way.OFFSETS_FROM_GROUP: offsets_from_group,
        Way.SKIP_LOST_CLICKS: skip_lost_clicks,
    }
    ways = [way for way, is_chosen in chosen.items() if is_chosen]
    if len(ways) > 1:
        raise UsageError(f"Choose one of {', '.join(f'--{way}' for way in ways)}; run the command once for each")
    settings = command_settings()
    names = topic_names(settings)
    with ExitStack() as stack:
        if not ways:
            _show(settings, names, stack)
        elif _carry_out(settings, names, stack, ways[0], dry_run=dry_run, yes=yes):
            say("Done; workers may start")


def _show(settings: Settings, names: TopicNames, stack: ExitStack) -> None:
    """Tell what contradicts. Raises Contradictory."""
    partitions = _partitions(settings, names, may_create=False)
    found = contradictions(stack.enter_context(open_inspection(settings, names)).look(partitions))
    if found:
        raise Contradictory(explain(found, settings.group_id))
    say(f"Offsets, memory and clicks of {partitions} partitions agree; there is nothing to do")


def _carry_out(settings: Settings, names: TopicNames, stack: ExitStack, way: Way, *, dry_run: bool, yes: bool) -> bool:
    """Do it, unless it is only to be shown or somebody says no; tell whether it was done."""
    partitions = _partitions(settings, names, may_create=way is Way.ACCEPT_LOST_MEMORY and not dry_run)
    mover = stack.enter_context(ChangelogWriter(settings, names.changelog))
    group = ConsumerGroup(Connection(settings.kafka), settings.group_id)
    inspection = stack.enter_context(open_inspection(settings, names))
    work = Reconciling(group, inspection, partial(mover.settle, names.clicks), partitions)
    plan = work.plan(way)
    _print_plan(plan)
    if dry_run:
        say("Nothing was written")
        return False
    if plan.steps:
        if not yes and sys.stdin.isatty():
            typer.confirm("Go on like this?", abort=True)
        work.carry_out(plan)
    if plan.left:
        raise Contradictory(explain(plan.left, settings.group_id))
    return True


def _print_plan(plan: Plan) -> None:
    if not plan.steps:
        say("No partition needs this")
        return
    rows = [
        (step.partition, step.found or "no note yet", step.note.offset, step.repeated, step.lost) for step in plan.steps
    ]
    print_table(("partition", "found", "goes on from", "handled again", "lost"), rows)


def _partitions(settings: Settings, names: TopicNames, *, may_create: bool) -> int:
    """Return how many the clicks have. A changelog that is missing is made where somebody accepts that it is lost."""
    admin = KafkaTopicAdmin(settings.kafka)
    found = admin.read_topics([names.clicks, names.changelog])
    if names.clicks not in found:
        raise Unavailable(f"{names.clicks} is missing; run link-actions doctor")
    partitions = found[names.clicks].partitions
    if names.changelog not in found:
        if not may_create:
            raise missing_changelog(names, "only that way of going on can be chosen")
        spec = next(each for each in topic_specs(names) if each.name == names.changelog)
        admin.create_topics([spec], partitions=partitions, replication_factor=BROKERS_CHOICE)
        say(f"created {names.changelog}")
    return partitions
