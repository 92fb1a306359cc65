"""A broker too slow for large transactions."""

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.ports import OutcomeUnknown
from tests.builders import a_click, a_link, an_action
from tests.loop.expectations import compare_updates, expected_model
from tests.loop.fake_environment import Build, FakeEnvironment, Worker
from tests.loop.scripted_ports import ScriptedState, ScriptedStream

IN_TIME = 60
"""Records of a transaction that the broker can commit in time."""


class SlowStream(ScriptedStream):
    """Times out if a transaction has more records, without committing it."""

    _written = 0

    def begin_transaction(self) -> None:
        self._written = 0
        super().begin_transaction()

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        self._written += len(records)
        super().produce_batch(partition, records)

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        if self._written > IN_TIME:
            raise OutcomeUnknown("the transaction took longer than 10 s")
        return super().commit_transaction(offsets)


def test_batches_shrink_until_a_slow_broker_commits_them() -> None:
    environment = FakeEnvironment(partitions=1)
    environment.define(a_link(an_action()))
    environment.click(*(a_click(number, recipient_id=f"r-{number}") for number in range(500)))
    worker = Worker(environment, ScriptedState(), build=Build(stream=SlowStream))
    worker.run()
    assert worker.counts.consumed == 500
    assert compare_updates(environment, expected_model(environment, set())).is_exact
