"""`link-actions state reconcile`: resolves contradictions between offsets, dedupe state and clicks."""

import sys
from contextlib import ExitStack
from functools import partial
from typing import Annotated

import typer

from cli.entry import command_settings, topic_names
from cli.output import say
from cli.table import print_table
from consumer.app.missing_changelog import missing_changelog
from consumer.loop.history import Resolution, explain
from consumer.maintenance.changelog_writer import ChangelogWriter
from consumer.maintenance.inspection import contradictions, open_inspection
from consumer.maintenance.reconcile import Reconciler, Reconciliation
from runtime.config.settings import Settings
from runtime.errors import Contradictory, Unavailable, UsageError
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.consumer_group import ConsumerGroup
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin
from runtime.kafka.admin.topics import topic_specs
from runtime.terminal.text import counted
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
        bool, typer.Option("--accept-lost-memory", help="Continue with the dedupe state that is left, or with none.")
    ] = False,
    offsets_from_state: Annotated[
        bool, typer.Option("--offsets-from-state", help="Continue from the offset that the dedupe state covers.")
    ] = False,
    offsets_from_group: Annotated[
        bool, typer.Option("--offsets-from-group", help="Continue from the committed offset, or the first one.")
    ] = False,
    skip_lost_clicks: Annotated[
        bool, typer.Option("--skip-lost-clicks", help="Continue with the clicks that exist, and count the lost ones.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, but write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Resolve contradictions between committed offsets, dedupe state and clicks of a partition.

    Without an option, the command shows what it finds. Stop all workers of the group before you choose one. Offsets and
    dedupe state are written in one transaction, so the command can be stopped at any time and run again.
    """
    chosen = {
        Resolution.ACCEPT_LOST_MEMORY: accept_lost_memory,
        Resolution.OFFSETS_FROM_STATE: offsets_from_state,
        Resolution.OFFSETS_FROM_GROUP: offsets_from_group,
        Resolution.SKIP_LOST_CLICKS: skip_lost_clicks,
    }
    resolutions = [resolution for resolution, is_chosen in chosen.items() if is_chosen]
    if len(resolutions) > 1:
        raise UsageError(
            f"Choose one of {', '.join(f'--{resolution}' for resolution in resolutions)}; run the command once for each"
        )
    settings = command_settings()
    names = topic_names(settings)
    with ExitStack() as stack:
        if not resolutions:
            _show(settings, names, stack)
        elif _carry_out(settings, names, stack, resolutions[0], dry_run=dry_run, yes=yes):
            say("Done; workers may start")


def _show(settings: Settings, names: TopicNames, stack: ExitStack) -> None:
    """Show the contradictions. Raises Contradictory if there are any."""
    partitions = _partitions(settings, names, may_create=False)
    found = contradictions(stack.enter_context(open_inspection(settings, names)).look(partitions))
    if found:
        raise Contradictory(explain(found, settings.group_id))
    where = counted(partitions, "partition")
    say(f"Committed offsets, dedupe state and clicks of {where} agree; there is nothing to do")


def _carry_out(
    settings: Settings, names: TopicNames, stack: ExitStack, resolution: Resolution, *, dry_run: bool, yes: bool
) -> bool:
    """Apply the option unless this is a dry run; return whether it was applied."""
    partitions = _partitions(settings, names, may_create=resolution is Resolution.ACCEPT_LOST_MEMORY and not dry_run)
    changelog = stack.enter_context(ChangelogWriter(settings, names.changelog))
    group = ConsumerGroup(Connection(settings.kafka), settings.group_id)
    inspection = stack.enter_context(open_inspection(settings, names))
    work = Reconciler(group, inspection, partial(changelog.settle, names.clicks), partitions)
    reconciliation = work.prepare(resolution)
    _print_steps(reconciliation)
    if dry_run:
        say("Nothing was written")
        return False
    if reconciliation.steps:
        if not yes and sys.stdin.isatty():
            typer.confirm("Continue?", abort=True)
        work.apply(reconciliation)
    if reconciliation.left:
        raise Contradictory(explain(reconciliation.left, settings.group_id))
    return True


def _print_steps(reconciliation: Reconciliation) -> None:
    if not reconciliation.steps:
        say("No partition needs this option")
        return
    rows = [
        (step.partition, step.found or "no checkpoint yet", step.checkpoint.offset, step.reprocessed, step.skipped)
        for step in reconciliation.steps
    ]
    print_table(("partition", "found", "continues at", "processed again", "skipped"), rows)


def _partitions(settings: Settings, names: TopicNames, *, may_create: bool) -> int:
    """Return the partition count of the clicks. Create a missing changelog if its loss was accepted."""
    admin = KafkaTopicAdmin(settings.kafka)
    found = admin.read_topics([names.clicks, names.changelog])
    if names.clicks not in found:
        raise Unavailable(f"{names.clicks} is missing; run link-actions doctor")
    partitions = found[names.clicks].partitions
    if names.changelog not in found:
        if not may_create:
            raise missing_changelog(names, "no other option applies")
        spec = next(each for each in topic_specs(names) if each.name == names.changelog)
        admin.create_topics([spec], partitions=partitions, replication_factor=BROKERS_CHOICE)
        say(f"created {names.changelog}")
    return partitions
