"""Errors after which the library does nothing any more, though it raises none; each has a sentence of its own."""

import pytest
from confluent_kafka import KafkaError

from consumer.errors import ExitCode, FatalKafkaError, Unavailable
from consumer.kafka.errors import FORBIDDEN, fatal_error, why_refused
from consumer.kafka.final_errors import ALWAYS_FINAL, FINAL_IF_FATAL, MAY_PASS

SAME_NAME = "another worker runs under the same LINK_ACTIONS_INSTANCE_ID"
REPLACED = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.UNRELEASED_INSTANCE_ID,
}
FINAL = [*FORBIDDEN, *ALWAYS_FINAL, *FINAL_IF_FATAL]


@pytest.mark.parametrize("code", [KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED])
def test_a_client_that_was_replaced_ends_the_worker(code: int) -> None:
    """Two workers with the same `group.instance.id`: the older one reads nothing from then on and looks healthy."""
    fatal = fatal_error(KafkaError(code))

    assert isinstance(fatal, FatalKafkaError)
    assert SAME_NAME in str(fatal)


@pytest.mark.parametrize("code", FINAL, ids=lambda code: KafkaError(code).name())
def test_a_fatal_code_says_what_it_is_and_only_a_replaced_client_is_blamed_on_its_name(code: int) -> None:
    fatal = fatal_error(KafkaError(code, fatal=True))

    assert fatal is not None
    assert KafkaError(code).name() in str(fatal) or KafkaError(code).str() in str(fatal)
    assert (SAME_NAME in str(fatal)) == (code in REPLACED)
    assert fatal.exit_code is not ExitCode.UNEXPECTED


@pytest.mark.parametrize("code", FINAL, ids=lambda code: KafkaError(code).name())
def test_a_consumer_that_has_failed_tells_of_what_in_its_text(code: int) -> None:
    """As librdkafka puts it: the code is that of any fatal error."""
    text = f"Fatal error: {KafkaError(code).str()}: Fatal consumer error: {KafkaError(code).str()}"
    told, plain = (
        fatal_error(KafkaError(KafkaError._FATAL, text)),
        fatal_error(KafkaError(code, fatal=True)),
    )

    assert type(told) is type(plain)
    assert str(told).split("(")[0] == str(plain).split("(")[0]


def test_a_fatal_error_that_is_not_known_is_told_as_the_library_does() -> None:
    fatal = fatal_error(KafkaError(KafkaError._FATAL, "Unable to go on"))

    assert isinstance(fatal, FatalKafkaError)
    assert "Unable to go on" in str(fatal)
    assert SAME_NAME not in str(fatal)


@pytest.mark.parametrize("code", FINAL_IF_FATAL, ids=lambda code: KafkaError(code).name())
def test_what_the_library_does_not_take_for_fatal_may_be_tried_again(code: int) -> None:
    assert fatal_error(KafkaError(code)) is None


def test_a_refusal_of_the_group_says_what_an_operator_may_do() -> None:
    assert {
        code: "kafka-consumer-groups.sh" in str(why_refused(KafkaError(code))) for code in MAY_PASS
    } == dict.fromkeys(MAY_PASS, True)
    assert "INVALID_REQUEST" in str(why_refused(KafkaError(KafkaError.INVALID_REQUEST)))
    assert why_refused(KafkaError(KafkaError._TRANSPORT)) is None


def test_a_broker_that_refuses_the_settings_is_a_mistake_in_the_settings() -> None:
    for code in (KafkaError.INVALID_TRANSACTION_TIMEOUT, KafkaError.INVALID_SESSION_TIMEOUT):
        final = fatal_error(KafkaError(code))
        assert final is not None
        assert final.exit_code is ExitCode.USAGE
    full = fatal_error(KafkaError(KafkaError.GROUP_MAX_SIZE_REACHED, fatal=True))
    assert isinstance(full, Unavailable)
