"""How long clicks are gathered: hardly at all when there is little to do, up to the interval when there is much."""

from consumer.loop.batching import MIN_LINGER_SECONDS, LingerPolicy
from tests.builders import a_click, a_link, an_action
from tests.loop.fake_environment import FakeEnvironment, Worker
from tests.loop.script import Happening, Script
from tests.loop.scripted_ports import ScriptedState

INTERVAL_SECONDS = 0.1


def test_a_batch_that_took_no_time_is_followed_by_the_shortest_gathering() -> None:
    assert LingerPolicy(INTERVAL_SECONDS).linger_seconds(0.0) == MIN_LINGER_SECONDS


def test_gathering_grows_with_the_time_that_batches_take() -> None:
    linger = LingerPolicy(INTERVAL_SECONDS)
    assert MIN_LINGER_SECONDS < linger.linger_seconds(0.03) < linger.linger_seconds(0.06) < INTERVAL_SECONDS


def test_gathering_never_lasts_longer_than_the_interval() -> None:
    assert LingerPolicy(INTERVAL_SECONDS).linger_seconds(60.0) == INTERVAL_SECONDS
    assert LingerPolicy(MIN_LINGER_SECONDS / 2).linger_seconds(0.0) == MIN_LINGER_SECONDS / 2


def test_a_lone_click_does_not_wait_for_the_interval() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(a_click(1))
    committed_at: list[float] = []
    script = Script.at_every(
        "stream.commit", Happening(after=lambda: committed_at.append(environment.clock.monotonic()))
    )
    begun = environment.clock.monotonic()
    Worker(environment, ScriptedState(), script=script, linger_seconds=60.0).run()
    assert committed_at[0] - begun < 1
