"""Calls that may never return."""

import gc
from contextlib import suppress
from threading import Event
from weakref import ref

import pytest
from confluent_kafka import KafkaError, KafkaException

from runtime.kafka.bounded_call import call_within
from runtime.ports import OutcomeUnknown
from tests.support.waiting import wait_until


def test_bounded_call_passes_result_and_error() -> None:
    def refuse() -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    assert call_within(10, divmod, 7, 2) == (3, 1)
    with pytest.raises(KafkaException):
        call_within(10, refuse)


def test_hanging_call_is_abandoned() -> None:
    never = Event()
    with pytest.raises(OutcomeUnknown, match="wait did not return within"):
        call_within(0.05, never.wait)
    never.set()


class Client:
    """Raises when it is allowed to go on, as a client does whose broker has come back."""

    def __init__(self) -> None:
        self.may_go_on = Event()

    def call(self) -> None:
        self.may_go_on.wait()
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


@pytest.mark.parametrize(("seconds", "raised"), [(0.01, OutcomeUnknown), (30.0, KafkaException)])
def test_bounded_call_keeps_no_reference_to_the_client(seconds: float, raised: type[Exception]) -> None:
    client = Client()
    may_go_on, left = client.may_go_on, ref(client)
    if raised is KafkaException:
        may_go_on.set()
    gc.disable()
    try:
        with suppress(raised):
            call_within(seconds, client.call)
        may_go_on.set()
        del client
        wait_until(lambda: left() is None, "end of the client")
    finally:
        gc.enable()
