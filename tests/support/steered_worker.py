"""A worker to which something happens at a named point of its cycle.

    python -m tests.support.steered_worker run [--drain] [POINT ACT]…

A POINT is `before.CALL.N` or `after.CALL.N`: the N-th call of a method of `TransactionalConsumer` (begin_transaction,
produce_batch, resume, seek_to_committed, …), or `producer.CALL` for one of the transactional producer inside it
(send_offsets_to_transaction, flush, commit_transaction, init_transactions); or `records.N`, when clicks have been
handed out for the N-th time. ACT is `die`; `halt`, until an empty line comes on standard input; `abort`, as if the
broker asked for it; or `lose`, as if its answer never came. A line `POINT ACT` on standard input adds one while the
worker runs; without the `.N`, it is about the next call.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast

import structlog
from confluent_kafka import KafkaError, KafkaException

from consumer.app.worker import run_worker
from runtime.config.environment import load_settings
from runtime.errors import LinkActionsError
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.monitoring.logs import configure_logs
from runtime.ports import OutcomeUnknown, TransactionAborted, TransactionalConsumer

_LOG = structlog.get_logger(__name__)


class Steering:
    """Knows what to do at which point, and counts the calls."""

    def __init__(self, acts: Mapping[str, str]) -> None:
        self._acts = dict(acts)
        self._calls: Counter[str] = Counter()
        self._go_ons: SimpleQueue[None] = SimpleQueue()
        Thread(target=self._listen, name="steering", daemon=True).start()

    def wrap(self, stream: TransactionalConsumer) -> TransactionalConsumer:
        """Come between the loop and Kafka, and between the stream and its producer."""
        inner = cast(KafkaTransactionalConsumer, stream)
        open_producer, send = inner._producer._open_producer, inner._producer._produce_batch
        inner._producer._open_producer = lambda: cast(Any, Steered(open_producer(), "producer.", self))
        # The compiled backend takes the real producer only.
        inner._producer._produce_batch = lambda producer, *what: send(cast(Any, producer)._inner, *what)
        return cast(TransactionalConsumer, Steered(inner, "", self))

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with a point before and one after it."""

        def steered(*arguments: Any, **named: Any) -> Any:
            self._calls[name] += 1
            self._reach(f"before.{name}", self._calls[name])
            result = call(*arguments, **named)
            self._reach(f"after.{name}", self._calls[name])
            if name == "consume" and result:
                self._calls["records"] += 1
                self._reach("records", self._calls["records"])
            return result

        return steered

    def _listen(self) -> None:
        """Take in lines; unbuffered, since a thread that holds a buffer's lock would spoil the end of the process."""
        with os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0) as lines:
            for line in lines:
                match line.decode().split():
                    case [point, act]:
                        self._acts[point] = act
                    case _:
                        self._go_ons.put(None)

    def _reach(self, place: str, number: int) -> None:
        point = f"{place}.{number}"
        act = self._acts.pop(place, None) or self._acts.get(point)
        if act is None:
            return
        _LOG.info("point.reached", point=point)
        match act:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "halt":
                self._go_ons.get()
            case "abort":
                raise TransactionAborted("the test asks for it")
            case "lose" if "producer" in point:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            case "lose":
                raise OutcomeUnknown("the test asks for it")


class Steered:
    """An object whose methods have points around them."""

    def __init__(self, inner: Any, prefix: str, steering: Steering) -> None:
        self._inner = inner
        self._prefix = prefix
        self._steering = steering

    def __getattr__(self, name: str) -> Any:
        return self._steering.around(self._prefix + name, getattr(self._inner, name))


def main(arguments: Sequence[str]) -> int:
    """Do what `link-actions run` does, steered."""
    drain = "--drain" in arguments
    points = [argument for argument in arguments if argument not in {"run", "--drain"}]
    steering = Steering(dict(zip(points[::2], points[1::2], strict=True)))
    try:
        settings = load_settings(os.environ)
        configure_logs(settings.log_level, settings.log_format)
        run_worker(settings, drain=drain, wrap_consumer=steering.wrap)
    except LinkActionsError as error:
        print(f"link-actions: {error}", file=sys.stderr)  # noqa: T201 - as the command line does
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
