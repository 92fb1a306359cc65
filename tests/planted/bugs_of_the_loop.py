"""Bugs in what is written when, and in what is done after a failure."""

from tests.planted.bug import Edit, PlantedBug

LOOP = "consumer/loop/loop.py"
TRANSACTIONS = "runtime/stream/transaction_loop.py"
ASSIGNMENT = "consumer/loop/assignment.py"
POISON_PILLS = "runtime/stream/poison_pills.py"
WRITING = "consumer/loop/transaction_output.py"
HISTORY = "consumer/loop/history.py"
EVERY_FAILURE = ("tests/loop/test_every_failure.py",)
SEVERAL_WORKERS = ("tests/simulation/test_simulation.py",)

_WRITE_AND_COMMIT = """\
        for each in batch.partitions:
            self._dependencies.output.write(each)
        timer.end(Stage.PRODUCE)
        first = self._offsets.produce_first_checkpoints(self._assignment.live, batch.offsets)
        positions = self._consumer.commit_transaction({**first, **batch.offsets})
"""

BUGS = (
    PlantedBug(
        "offsets are committed before the records are produced",
        (
            Edit(
                LOOP,
                _WRITE_AND_COMMIT,
                """\
        self._consumer.commit_transaction(batch.offsets)
        self._consumer.begin_transaction()
        for each in batch.partitions:
            self._dependencies.output.write(each)
        timer.end(Stage.PRODUCE)
        first = self._offsets.produce_first_checkpoints(self._assignment.live, batch.offsets)
        positions = self._consumer.commit_transaction({**first, **batch.offsets})
""",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "state is written before the commit",
        (
            Edit(
                LOOP,
                "        positions = self._consumer.commit_transaction({**first, **batch.offsets})\n",
                """\
        for each in batch.partitions:
            if each.entries:
                store = self._assignment.live[each.partition]
                store.write(each.entries, store.position)
        positions = self._consumer.commit_transaction({**first, **batch.offsets})
""",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "a producer is used again after a time-out",
        (
            Edit(
                TRANSACTIONS,
                "                self._consumer.reinit_producer()\n",
                """\
                if not hasattr(self, "_renewed"):
                    self._consumer.reinit_producer()
                    self._renewed = True
""",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "after an aborted batch the worker continues from the consumer's position, not from what was processed",
        (
            Edit(
                TRANSACTIONS,
                "        self._reread_from_committed()\n\n    def _reset_producer",
                "\n    def _reset_producer",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "a transaction that failed is left open",
        (Edit(TRANSACTIONS, "        self._consumer.abort_transaction()\n", ""),),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "the state is trusted after another worker may have changed it",
        (
            Edit(
                ASSIGNMENT,
                """\
            del self.live[partition]
            self._restorer.start(partition)
            self._dead_letter_limit.forget(partition)
""",
                "            self._consumer.resume([partition])\n",
            ),
        ),
        (*EVERY_FAILURE, *SEVERAL_WORKERS),
    ),
    PlantedBug(
        "hits are kept of a transaction that was aborted",
        (
            Edit(
                TRANSACTIONS,
                "        self._observer.transaction(TransactionResult.ABORTED)\n",
                """\
        self._observer.transaction(TransactionResult.ABORTED)
        for each in batch.partitions if batch else ():
            hits = {key: value for key, value in each.entries.items() if len(key) == 16}
            self._assignment.live[each.partition].write(hits, self._assignment.live[each.partition].position)
""",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "a revoked partition is kept",
        (
            Edit(
                ASSIGNMENT,
                """\
        for partition in change.revoked:
            self._forget(partition)
            self._restorer.release(partition)
""",
                "",
            ),
        ),
        ("tests/loop/test_rebalancing.py", *SEVERAL_WORKERS),
    ),
    PlantedBug(
        "dead letters are written outside the transaction",
        (
            Edit(
                LOOP,
                "        self._pending = batch\n        self._consumer.begin_transaction()\n",
                """\
        self._consumer.begin_transaction()
        for each in batch.partitions:
            for row, bad in each.decision.dead_letters.items():
                self._consumer.produce(self._dependencies.output._dead_letter(each.records[row], bad))
        self._consumer.commit_transaction({})
        self._pending = batch
        self._consumer.begin_transaction()
""",
            ),
            Edit(
                WRITING,
                """\
        for row, bad in sorted(decision.dead_letters.items()):
            self.consumer.produce(self._dead_letter(batch.records[row], bad))
""",
                "",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "the changelog is written to the wrong partition",
        (
            Edit(
                WRITING,
                "self.consumer.produce_batch(batch.partition, [(topic",
                "self.consumer.produce_batch(0, [(topic",
            ),
        ),
        ("tests/loop/test_restoring.py",),
    ),
    PlantedBug(
        "the update's id comes from an offset",
        (
            Edit(
                WRITING,
                "        self.consumer.produce_batch(partition, batch.pop_updates())",
                """\
        for number, (topic, value, key, headers) in enumerate(batch.pop_updates()):
            identifier = f"{partition}-{batch.next_offset}-{number}".encode()
            self.consumer.produce_batch(partition, [(topic, value, key, [*headers[:-1], ("ce_id", identifier)])])
""",
            ),
        ),
        ("tests/loop/test_story.py",),
    ),
    PlantedBug(
        "the neighbour of a refused record becomes the dead letter",
        (
            Edit(
                POISON_PILLS,
                "    if not force(partition, next_offset - 1, BadRecord(Reason.REJECTED_BY_BROKER",
                "    if not force(partition, next_offset, BadRecord(Reason.REJECTED_BY_BROKER",
            ),
        ),
        ("tests/loop/test_poison.py",),
    ),
    PlantedBug(
        "clicks are decided before the definitions are read to their end",
        (Edit(LOOP, "        self._dependencies.definitions.catch_up(should_stop)\n", ""),),
        ("tests/loop/test_loop_at_the_edges.py",),
    ),
    PlantedBug(
        "a draining worker ends when its own partitions are done, even if others are not",
        (
            Edit(
                "consumer/loop/drain.py",
                "        return all(of_group[partition] >= target for partition, target in self._targets.items())",
                "        return bool(of_group)",
            ),
        ),
        ("tests/loop/test_drain.py", "tests/loop/test_draining.py"),
    ),
    PlantedBug(
        "the worker continues from a committed offset that does not fit the state",
        (Edit(HISTORY, "    if (evidence.committed or 0) != checkpoint.offset:\n", "    if False:\n"),),
        ("tests/loop/test_history.py", *SEVERAL_WORKERS),
    ),
    PlantedBug(
        "an empty changelog of a group that has committed is taken for that of a new one",
        (
            Edit(
                HISTORY,
                "    if evidence.committed or evidence.had_state:\n        return Contradiction.STATE_LOST\n",
                "",
            ),
        ),
        ("tests/loop/test_history.py", *SEVERAL_WORKERS),
    ),
    PlantedBug(
        "clicks that were deleted unread are passed over",
        (Edit(HISTORY, "    if checkpoint.offset < evidence.first_offset:\n", "    if False:\n"),),
        ("tests/loop/test_history.py", *SEVERAL_WORKERS),
    ),
)
