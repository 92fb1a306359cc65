"""Clicks flow, a worker is killed in the middle and comes back, and all clicks get done."""

from collections.abc import Sequence

from consumer.demo.crash import Killing, kill_in_the_middle
from consumer.demo.environment import PARTITIONS, Environment
from consumer.demo.group import Group
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.sample import Sample
from consumer.demo.sending import announce_sending
from consumer.demo.watch import Watch
from consumer.demo.worker_process import WorkerProcess
from consumer.kafka.publisher import open_publisher

KILL_AT_SHARE = 0.4
"""How much of the clicks must be sent before a worker is killed: those of the second mailing come in now."""
AWAY_SECONDS = 1.5


def let_clicks_flow(
    stage: Environment, sample: Sample, workers: Sequence[WorkerProcess], narrator: ProgressReporter
) -> Killing:
    """Send all clicks, kill the last worker meanwhile and start it again; return once nothing is left to do.

    Raises DemoFailed where a worker ends by itself or stands still.
    """
    *others, victim = workers
    group = Group(stage.settings, clicks=stage.names.clicks, changelog=stage.names.changelog, partitions=PARTITIONS)
    total = len(sample.publications)
    sending = announce_sending(sample, open_publisher(stage.settings.kafka), stage.names.clicks, narrator)
    with narrator.progress(total) as show, sending:
        watch = Watch(group, sending, show, workers)
        watch.until(lambda: sending.sent >= KILL_AT_SHARE * total)
        killing = kill_in_the_middle(victim, group, watch.look)
        watch.running = others
        narrator.say(str(killing), style="bold")
        narrator.say(f"of its partitions {killing.done:,} records were done, {killing.waiting:,} were waiting")
        watch.pause(AWAY_SECONDS)
        victim.start()
        watch.running = workers
        narrator.say(f"{victim.name} started again (process {victim.process_id}); clicks kept flowing", style="bold")
        watch.until(lambda: sending.is_done)
        sending.require_all_confirmed()
        narrator.say(f"all clicks are sent; {watch.look():,} are done")
        watch.until(group.is_done)
    narrator.say("all clicks are done")
    return killing
