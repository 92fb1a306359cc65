"""Bugs in how Kafka is spoken to; what catches them needs a real broker, except where a script plays one."""

from tests.planted.bug import Edit, PlantedBug

STREAM = "runtime/kafka/transactional_consumer.py"

BUGS = (
    PlantedBug(
        "offsets are sent before the records are in the log",
        (
            Edit(
                "runtime/kafka/transactional_producer.py",
                """\
            if producer.flush(self._seconds_left()):
                raise OutcomeUnknown("records were not delivered in time")
""",
                "",
            ),
        ),
        ("tests/ports/test_commit_at_the_edges.py",),
    ),
    PlantedBug(
        "state is restored up to the last stable offset only",
        (
            Edit(
                "runtime/fake_kafka/log_reader.py",
                "(log.start, log.end) for partition",
                "(log.start, log.stable_end) for partition",
            ),
        ),
        ("tests/loop/test_restoring.py",),
    ),
    PlantedBug(
        "a callback of a rebalance raises",
        (
            Edit(
                "runtime/kafka/group_membership.py",
                "        self._consumer.pause(partitions)\n        for each in partitions:",
                "        self._consumer.pause(partitions)\n        raise ValueError\n        for each in partitions:",
            ),
        ),
        ("tests/ports/test_rebalancing.py",),
        needs_kafka=True,
    ),
    PlantedBug(
        "the consumer keeps its position after a seek",
        (
            Edit(
                STREAM,
                "                self._seek(each.partition, each.offset if each.offset > 0 else OFFSET_BEGINNING)\n",
                "",
            ),
        ),
        ("tests/ports/test_consuming.py::test_seek_to_committed",),
        needs_kafka=True,
    ),
    PlantedBug(
        "the client library begins elsewhere where a position is gone, and tells no one",
        (
            Edit(
                "runtime/kafka/client.py",
                '        "auto.offset.reset": "error",\n',
                '        "auto.offset.reset": "earliest",\n',
            ),
        ),
        ("tests/kafka/test_history.py::test_clicks_that_are_deleted_under_a_running_worker",),
        needs_kafka=True,
    ),
    PlantedBug(
        "the member's generation is asked for once and never again",
        (
            Edit(
                STREAM,
                "        group = self._consumer.consumer_group_metadata()\n",
                """\
        if not hasattr(self, "_group"):
            self._group = self._consumer.consumer_group_metadata()
        group = self._group
""",
            ),
        ),
        ("tests/ports/test_rebalancing.py",),
        needs_kafka=True,
    ),
)
