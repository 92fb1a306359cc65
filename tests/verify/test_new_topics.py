"""The reader asks again where a topic has no leader yet, and only then."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.verify.reader import NotReadable, _ends


class OfTwoMinds:
    """An admin client that answers with these errors first, and then with an end."""

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


def test_a_leader_that_is_not_there_yet_is_waited_for() -> None:
    admin: Any = OfTwoMinds(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert _ends(admin, "new") == {0: 7}


def test_any_other_refusal_is_told_at_once() -> None:
    admin: Any = OfTwoMinds(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(NotReadable, match="new"):
        _ends(admin, "new")
