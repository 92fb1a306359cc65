"""Calls of the client library that may hang beyond the timeout they are given."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

from confluent_kafka import KafkaException

from runtime.ports import OutcomeUnknown


def call_within(seconds: float, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call, and return or raise what the call does.

    Raises OutcomeUnknown after the timeout; the call is then abandoned on a daemon thread.
    """
    outcome: Future[Any] = Future()
    Thread(target=_fulfil, args=(outcome, call, arguments), name="bounded-call", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        raise OutcomeUnknown(f"{call.__name__} did not return within {seconds:g} s") from error
    finally:
        # The exception refers to this frame and the future to the exception. That cycle would keep the client with its
        # threads and connections alive, because garbage collection is rare here.
        del outcome


def _fulfil(outcome: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        outcome.set_result(call(*arguments))
    except (KafkaException, SystemError) as error:
        outcome.set_exception(error)
    finally:
        outcome.cancel()  # only takes effect if the call raised an unexpected exception, which is a bug
        del outcome  # as above
