"""The faults of a soak, in turn: one worker is killed, a third one joins and leaves, the broker is restarted."""

from collections.abc import MutableMapping
from itertools import count, cycle

from deploy.kafka import KafkaProcess
from tests.support.deployment import Deployment
from tests.support.waiting import wait_until
from tests.support.worker import Worker

STEADY, VICTIM, GUEST = "steady", "victim", "guest"
"""The first is never killed, so that its life is as long as the soak."""
SETTLE_SECONDS = 60.0


class Faults:
    """Injects one fault after the other; `lives` holds the running workers, by name and number of their start."""

    def __init__(self, deployment: Deployment, broker: KafkaProcess, lives: MutableMapping[str, Worker]) -> None:
        self._deployment = deployment
        self._broker = broker
        self._lives = lives
        self._starts = count(1)
        self._turns = cycle((self._kill, self._have_a_guest, self._restart_broker))

    def start_workers(self) -> None:
        """Start the two workers that there are all the time."""
        for name in (STEADY, VICTIM):
            self._start(name).wait_ready(timeout=SETTLE_SECONDS)

    def next(self) -> str:
        """Inject the next fault, and describe it."""
        return next(self._turns)()

    def stop_workers(self) -> None:
        """Stop all workers. Raises AssertionError if one did not exit cleanly."""
        codes = {name: worker.stop() for name, worker in self._lives.items()}
        assert set(codes.values()) == {0}, f"workers that were told to stop ended with {codes}"

    def _kill(self) -> str:
        self._worker(VICTIM).kill()
        self._start(VICTIM).wait_ready(timeout=SETTLE_SECONDS)
        return "one of two workers killed, and started again"

    def _have_a_guest(self) -> str:
        guest = self._start(GUEST).wait_ready(timeout=SETTLE_SECONDS)
        before = self._deployment.total_committed()
        wait_until(lambda: self._deployment.total_committed() > before, "commit with a guest", timeout=SETTLE_SECONDS)
        self._forget(GUEST)
        assert guest.stop() == 0, guest.log
        return "a third worker came and left"

    def _restart_broker(self) -> str:
        self._broker.stop()
        self._broker.start()
        return "the broker restarted"

    def _start(self, name: str) -> Worker:
        self._forget(name)
        worker = self._lives[f"{name} {next(self._starts)}"] = self._deployment.start(name)
        return worker

    def _worker(self, name: str) -> Worker:
        return next(worker for worker in self._lives.values() if worker.name == name)

    def _forget(self, name: str) -> None:
        for life, worker in list(self._lives.items()):
            if worker.name == name:
                del self._lives[life]
