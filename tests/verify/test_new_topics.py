"""The reader waits for the leaders of a new topic, and retries no other error."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.verify.reader import NotReadable, _ends


class FlakyAdmin:
    """An admin client that raises these errors first and then returns an end offset."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)

    def list_topics(self, topic: str, timeout: float) -> Any:  # noqa: ARG002 - the client's own signature
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=[0])})

    def list_offsets(self, latest: dict[Any, Any], **_: Any) -> dict[Any, "Future[Any]"]:
        answer: Future[Any] = Future()
        if self.errors:
            answer.set_exception(KafkaException(KafkaError(self.errors.pop(0))))
        else:
            answer.set_result(SimpleNamespace(offset=7))
        return dict.fromkeys(latest, answer)


def test_waits_for_the_leader() -> None:
    admin: Any = FlakyAdmin(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert _ends(admin, "new") == {0: 7}


def test_other_errors_are_raised_at_once() -> None:
    admin: Any = FlakyAdmin(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(NotReadable, match="new"):
        _ends(admin, "new")
