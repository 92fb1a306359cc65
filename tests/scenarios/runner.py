"""Runs a script and records its outcomes."""

import time
from collections.abc import Callable, Sequence
from itertools import zip_longest

from runtime.errors import LinkActionsError
from runtime.ports import ProducerRecord, RetriableError, TransactionAborted
from tests.ports.environment import OpenTransaction, Poller, poll_until
from tests.scenarios.environment import ScriptEnvironment
from tests.support.patience import Deadline
from tests.support.waiting import LOOK_SECONDS

WORLD = "world"
LOOK = f"{WORLD} look"
MARKER_SECONDS = 10.0
PARTITIONS = 2


class ScriptRunner:
    """Knows who acts: `one` is a process of the instance `one`, and so is `one+`.

    A Kafka may tell with any of the following calls that a record was refused, so that is told with the end of the
    transaction.
    """

    def __init__(self, environment: ScriptEnvironment) -> None:
        self._environment = environment
        self._clicks, self._log = environment.create_topic(PARTITIONS), environment.create_topic(1)
        self._turners: dict[str, Poller] = {}
        self._refused: dict[str, Exception] = {}
        self._others: list[OpenTransaction] = []

    def play(self, script: Sequence[str], expected: Sequence[str] = ()) -> list[str]:
        """Return each step with its outcome.

        Readers are given time to see what is expected: a broker ends a transaction in the partitions after it has
        answered the client that ended it.
        """
        return [self._told(step, wanted) for step, wanted in zip_longest(script, expected)]

    def _told(self, step: str, wanted: str | None) -> str:
        deadline = Deadline(MARKER_SECONDS if wanted is not None and step == LOOK else 0)
        while (outcome := f"{step} -> {self._observe(step)}") != wanted and not deadline.has_passed:
            time.sleep(LOOK_SECONDS)
        return outcome

    def _observe(self, step: str) -> str:
        who, verb, *rest = step.split()
        act: Callable[..., object] = getattr(self, f"_{WORLD}_{verb}" if who == WORLD else f"_{verb}")
        try:
            seen = act(*rest) if who == WORLD else act(who, *rest)
        except TransactionAborted as error:
            return f"TransactionAborted{' poison' * error.poison}{' rebalance' * error.rebalance}"
        except (LinkActionsError, RetriableError) as error:
            return type(error).__name__
        return "done" if seen is None else str(seen)

    def _turner(self, who: str) -> Poller:
        if who not in self._turners:
            self._turners[who] = Poller(self._environment.open_stream(self._clicks, who.rstrip("+")))
        return self._turners[who]

    def _join(self, who: str, *, among: str = "1") -> None:
        turner = self._turner(who)
        turners = [*self._turners.values()]
        poll_until(lambda: len(turner.assigned) == PARTITIONS // int(among), *turners)
        poll_until(lambda: sum(len(each.assigned) for each in turners) == PARTITIONS, *turners)

    def _share(self, who: str) -> None:
        self._join(who, among="2")

    def _leave(self, who: str) -> None:
        self._turners.pop(who).stream.close()

    def _read(self, who: str, count: str) -> list[str]:
        turner = self._turner(who)
        turner.records.clear()

        def has_come() -> bool:
            # Each time: a member that was removed on a slow machine gets its partitions again, paused.
            turner.resume_assigned()
            return len(turner.records) >= int(count)

        poll_until(has_come, turner)
        return turner.values(0)

    def _renew(self, who: str) -> None:
        self._refused.pop(who, None)
        self._turner(who).stream.reinit_producer()

    def _begin(self, who: str) -> None:
        self._turner(who).stream.begin_transaction()

    def _produce(self, who: str, what: str) -> None:
        """Write `key=value`, or `key=` for a record without a value."""
        key, _, value = what.partition("=")
        stream = self._turner(who).stream
        try:
            stream.produce(ProducerRecord(self._log, 0, key.encode(), value.encode() or None))
        except (TransactionAborted, LinkActionsError, RetriableError) as error:
            self._refused.setdefault(who, error)
        else:
            self._environment.settle(stream)

    def _commit(self, who: str, *offsets: str) -> None:
        if who in self._refused:
            raise self._refused.pop(who)
        self._turner(who).stream.commit_transaction({p: int(offset) for p, offset in enumerate(offsets)})

    def _cut(self, who: str) -> None:
        self._environment.lose_the_end(self._turner(who).stream)

    def _abort(self, who: str) -> None:
        self._refused.pop(who, None)
        self._turner(who).stream.abort_transaction()

    def _rewind(self, who: str) -> str:
        turner = self._turner(who)
        return str(dict(turner.stream.seek_to_committed(sorted(turner.assigned))))

    def _committed(self, who: str) -> str:
        return str(dict(self._turner(who).stream.committed()))

    def _world_publish(self, *values: str) -> None:
        self._environment.publish(self._clicks, 0, *values)

    def _world_open(self, value: str) -> None:
        """Write to the log in a transaction of a client outside the group."""
        self._others.append(self._environment.leave_open(self._log, 0, value))

    def _world_commit(self) -> None:
        self._others.pop(0).commit()

    def _world_abort(self) -> None:
        self._others.pop(0).abort()

    def _world_expire(self, instance: str) -> None:
        self._environment.expire(self._log, instance)

    def _world_silence(self, who: str) -> None:
        turner = self._turner(who)
        self._environment.expire_member(turner.stream)
        turner.assigned.clear()

    def _world_roll(self) -> None:
        self._environment.begin_compaction(self._log)

    def _world_compact(self) -> None:
        self._environment.compact(self._log)

    def _world_look(self) -> str:
        return str(self._environment.look(self._log))
