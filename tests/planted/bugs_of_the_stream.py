"""Bugs in how Kafka is spoken to; what catches them needs a real broker, except where a script plays one."""

from tests.planted.bug import Edit, PlantedBug

STREAM = "consumer/kafka/transactional_consumer.py"

BUGS = (
    PlantedBug(
        "offsets are sent before the records are in the log",
        (
            Edit(
                "consumer/kafka/transactional_writer.py",
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
                "consumer/fake_kafka/log_reader.py",
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
                STREAM,
                "        self._consumer.pause(places)\n        for place in places:",
                "        self._consumer.pause(places)\n        raise ValueError(places)\n        for place in places:",
            ),
        ),
        ("tests/ports/test_rebalancing.py",),
        needs_kafka=True,
    ),
    PlantedBug(
        "what is rewound goes on from where it was",
        (
            Edit(
                STREAM,
                "                self._go_to(place.partition, place.offset if place.offset > 0 else OFFSET_BEGINNING)"
                "\n",
                "",
            ),
        ),
        ("tests/ports/test_consuming.py::test_rewind_goes_back_to_what_is_committed",),
        needs_kafka=True,
    ),
    PlantedBug(
        "the client library begins elsewhere where a position is gone, and tells no one",
        (
            Edit(
                "consumer/kafka/client.py",
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
                "        member = self._consumer.consumer_group_metadata()\n",
                """\
        if not hasattr(self, "_member"):
            self._member = self._consumer.consumer_group_metadata()
        member = self._member
""",
            ),
        ),
        ("tests/ports/test_rebalancing.py",),
        needs_kafka=True,
    ),
)
