"""Sends all clicks, kills a worker on the way and restarts it, and waits until all clicks are processed."""

from collections.abc import Sequence

from consumer.demo.click_sender import prepare_sender
from consumer.demo.crash import KilledWorker, kill_mid_transaction
from consumer.demo.environment import PARTITIONS, Environment
from consumer.demo.group import Group
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.watch import Watch
from consumer.demo.worker_process import WorkerProcess
from runtime.kafka.publisher import open_publisher

KILL_AT_SHARE = 0.4
"""Share of the clicks sent before a worker is killed, at about the second mailing."""
DOWN_SECONDS = 1.5


def run_flow(
    environment: Environment, sample: Sample, workers: Sequence[WorkerProcess], reporter: ProgressReporter
) -> KilledWorker:
    """Send all clicks, kill and restart the last worker, and return after all clicks are processed.

    Raises DemoFailed if a worker exits or makes no progress.
    """
    *others, victim = workers
    settings, names = environment.settings, environment.names
    group = Group(settings, clicks=names.clicks, changelog=names.changelog, partitions=PARTITIONS)
    total = len(sample.publications)
    sender = prepare_sender(sample, open_publisher(settings.kafka), names.clicks, reporter)
    with reporter.progress(total) as show, sender:
        watch = Watch(group, sender, show, workers)
        watch.wait_until(lambda: sender.sent >= KILL_AT_SHARE * total)
        killed = kill_mid_transaction(victim, group, watch.poll)
        watch.running = others
        reporter.say(str(killed), style="bold")
        reporter.say(f"its partitions had {killed.done:,} processed and {killed.waiting:,} waiting records")
        watch.wait(DOWN_SECONDS)
        victim.start()
        watch.running = workers
        reporter.say(f"{victim.name} restarted (process {victim.process_id}); clicks kept arriving", style="bold")
        watch.wait_until(lambda: sender.is_done)
        sender.require_all_confirmed()
        reporter.say(f"all clicks sent, {watch.poll():,} processed")
        watch.wait_until(group.is_done)
    reporter.say("all clicks processed")
    return killed
