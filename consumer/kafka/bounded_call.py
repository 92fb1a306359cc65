"""Calls of the client library that may never return, whatever time-out they are given."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

from confluent_kafka import KafkaException

from consumer.ports import OutcomeUnknown


def call_within(seconds: float, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call, and return or raise what the call does.

    Raises OutcomeUnknown after so many seconds; the call is left to itself then, on a thread that holds up nothing.
    """
    outcome: Future[Any] = Future()
    Thread(target=_fulfil, args=(outcome, call, arguments), name="bounded-call", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        raise OutcomeUnknown(f"{call.__name__} did not return within {seconds:g} s") from error
    finally:
        # What was raised knows this frame, and the outcome knows what was raised: the circle would keep the client,
        # its threads and its connections, for the collector is spared.
        del outcome


def _fulfil(outcome: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        outcome.set_result(call(*arguments))
    except (KafkaException, SystemError) as error:
        outcome.set_exception(error)
    finally:
        outcome.cancel()  # does nothing but where the call raised what the library does not, which is a bug
        del outcome  # as above
