"""Errors after which the library stops working without raising; each has its own message."""

import pytest
from confluent_kafka import KafkaError

from runtime.errors import ExitCode, FatalKafkaError, Unavailable
from runtime.kafka.errors import FORBIDDEN, fatal_error, why_refused
from runtime.kafka.final_errors import ALWAYS_FINAL, FINAL_IF_FATAL, MAY_PASS

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
def test_fenced_client_is_fatal(code: int) -> None:
    """Two workers with the same `group.instance.id`: the older one reads nothing from then on and looks healthy."""
    fatal = fatal_error(KafkaError(code))

    assert isinstance(fatal, FatalKafkaError)
    assert SAME_NAME in str(fatal)


@pytest.mark.parametrize("code", FINAL, ids=lambda code: KafkaError(code).name())
def test_fatal_error_names_cause_and_advice(code: int) -> None:
    fatal = fatal_error(KafkaError(code, fatal=True))

    assert fatal is not None
    assert KafkaError(code).name() in str(fatal) or KafkaError(code).str() in str(fatal)
    assert (SAME_NAME in str(fatal)) == (code in REPLACED)
    assert fatal.exit_code is not ExitCode.UNEXPECTED


@pytest.mark.parametrize("code", FINAL, ids=lambda code: KafkaError(code).name())
def test_failed_consumer_names_cause_in_text(code: int) -> None:
    """As librdkafka puts it: the code is that of any fatal error."""
    text = f"Fatal error: {KafkaError(code).str()}: Fatal consumer error: {KafkaError(code).str()}"
    told, plain = (
        fatal_error(KafkaError(KafkaError._FATAL, text)),
        fatal_error(KafkaError(code, fatal=True)),
    )

    assert type(told) is type(plain)
    assert str(told).split("(")[0] == str(plain).split("(")[0]


def test_unknown_fatal_error_keeps_the_librarys_text() -> None:
    fatal = fatal_error(KafkaError(KafkaError._FATAL, "Unable to go on"))

    assert isinstance(fatal, FatalKafkaError)
    assert "Unable to go on" in str(fatal)
    assert SAME_NAME not in str(fatal)


@pytest.mark.parametrize("code", FINAL_IF_FATAL, ids=lambda code: KafkaError(code).name())
def test_nonfatal_errors_are_retriable(code: int) -> None:
    assert fatal_error(KafkaError(code)) is None


def test_group_refusal_gives_advice() -> None:
    assert {
        code: "kafka-consumer-groups.sh" in str(why_refused(KafkaError(code))) for code in MAY_PASS
    } == dict.fromkeys(MAY_PASS, True)
    assert "INVALID_REQUEST" in str(why_refused(KafkaError(KafkaError.INVALID_REQUEST)))
    assert why_refused(KafkaError(KafkaError._TRANSPORT)) is None


def test_broker_refusing_settings_is_a_usage_error() -> None:
    for code in (KafkaError.INVALID_TRANSACTION_TIMEOUT, KafkaError.INVALID_SESSION_TIMEOUT):
        final = fatal_error(KafkaError(code))
        assert final is not None
        assert final.exit_code is ExitCode.USAGE
    full = fatal_error(KafkaError(KafkaError.GROUP_MAX_SIZE_REACHED, fatal=True))
    assert isinstance(full, Unavailable)
