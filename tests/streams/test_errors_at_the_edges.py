"""Errors after which the library does nothing any more, though it raises none."""

import pytest
from confluent_kafka import KafkaError

from consumer.errors import StreamFatal
from consumer.kafka.errors import what_must_be_mended


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED])
def test_a_consumer_that_was_put_out_for_good_ends_the_worker(code: int) -> None:
    """Two workers with the same `group.instance.id`: the older one reads nothing from then on and looks healthy."""
    fatal = what_must_be_mended(KafkaError(code))

    assert isinstance(fatal, StreamFatal)
    assert "another worker runs under the same LINK_ACTIONS_INSTANCE_ID" in str(fatal)
