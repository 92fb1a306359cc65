"""Calls that may never return."""

from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.kafka.bounded_call import call_within
from consumer.streams import OutcomeUnknown


def test_what_a_call_returns_or_raises_is_passed_on() -> None:
    def refuse() -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    assert call_within(10, divmod, 7, 2) == (3, 1)
    with pytest.raises(KafkaException):
        call_within(10, refuse)


def test_a_call_that_does_not_return_is_left_to_itself() -> None:
    never = Event()
    with pytest.raises(OutcomeUnknown, match="wait did not return within"):
        call_within(0.05, never.wait)
    never.set()
