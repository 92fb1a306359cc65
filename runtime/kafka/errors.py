"""Translates errors of the client library into those of the loop's ports."""

from enum import StrEnum

from confluent_kafka import KafkaError, KafkaException, Producer

from runtime.errors import FatalKafkaError, LinkActionsError, Unavailable
from runtime.kafka.final_errors import ALWAYS_FINAL, FINAL_IF_FATAL, MAY_PASS
from runtime.ports import OutcomeUnknown, RetriableError, TransactionAborted


class Resource(StrEnum):
    """The type of resource that an ACL applies to, as kafka-acls.sh names it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})  # noqa: SLF001
"""Another producer has taken over the transactional id; the library flags some of these as merely abortable."""

POISON = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG, KafkaError.RECORD_LIST_TOO_LARGE}
)
"""A broker's errors for a record that it will never take."""

REBALANCE = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
    }
)
"""A broker's errors for offsets from a member of an older generation."""

FORBIDDEN = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: Resource.TOPIC,
    KafkaError.GROUP_AUTHORIZATION_FAILED: Resource.GROUP,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Resource.TRANSACTIONAL_ID,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: None,
}
"""A broker's errors for a user without the ACL, by resource; a retry does not help."""

MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})  # noqa: SLF001


class Forbidden(Unavailable):
    """The user lacks an ACL. The library does not say which: `explaining_denials` finds out."""

    def __init__(self, reason: str, resource: Resource | None) -> None:
        super().__init__(
            f"The broker refuses this user ({reason}); run link-actions doctor to see which right is missing"
        )
        self.resource = resource


def kafka_error(raised: BaseException) -> KafkaError:
    """Return the library's error in an exception.

    If a fatal error meets a delivery callback, a SystemError wraps the KafkaException.
    """
    while not isinstance(raised, KafkaException):
        if raised.__cause__ is None:
            raise raised
        raised = raised.__cause__
    error: KafkaError = raised.args[0]
    return error


def is_about_the_group(error: KafkaError) -> bool:
    """Return whether a reader outside any group may ignore it: the library looks up a coordinator it never needs."""
    return bool(error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED)


def fatal_error(error: KafkaError) -> LinkActionsError | None:
    """Return the exception for an error that a retry does not resolve; None if it may."""
    error = _cause(error)
    code = error.code()
    if code in FORBIDDEN:
        return Forbidden(error.str(), FORBIDDEN[code])
    if code in MISSING:
        return Unavailable(f"A topic is missing ({error.str()}); run link-actions doctor to see what to do")
    if code in ALWAYS_FINAL:
        return ALWAYS_FINAL[code].failure(error)
    if not _is_fatal(error):
        return None
    if code in FINAL_IF_FATAL:
        return FINAL_IF_FATAL[code].failure(error)
    return FatalKafkaError(
        f"The Kafka library failed permanently ({error.name()}: {error.str()}); nothing of the open transaction is"
        " committed, so start this worker again"
    )


def why_refused(error: KafkaError) -> str | None:
    """Return why the group refuses a member without partitions; None if the error is not from a broker."""
    if error.code() in MAY_PASS:
        return MAY_PASS[error.code()].sentence(error)
    if error.code() <= KafkaError.NO_ERROR:
        return None
    return f"The group refuses this worker ({error.name()}: {error.str()}); run link-actions doctor"


def first_failure(producer: Producer, raised: BaseException) -> BaseException:
    """Return the cause of a producer's failure: `produce` only raises that it has failed, `poll` raises why."""
    if _cause(kafka_error(raised)).code() == KafkaError._FATAL:  # noqa: SLF001 - its public name
        try:
            producer.poll(0)
        except (KafkaException, SystemError) as first:
            return first
    return raised


def _is_fatal(error: KafkaError) -> bool:
    # A consumer that has failed reports this code, not flagged as fatal, and reads nothing more.
    return bool(error.fatal()) or error.code() == KafkaError._FATAL  # noqa: SLF001


def _cause(error: KafkaError) -> KafkaError:
    """Return the error that made a client fail: a failed consumer names it in the text only."""
    if error.code() != KafkaError._FATAL:  # noqa: SLF001
        return error
    known = (KafkaError(code) for code in (*FORBIDDEN, *ALWAYS_FINAL, *FINAL_IF_FATAL))
    found = [each for each in known if each.str() in error.str()]
    return KafkaError(found[0].code(), error.str(), fatal=True) if found else error


def transaction_error(raised: BaseException) -> Exception:
    """Translate an exception of a transactional call.

    A timeout or an unclear error counts as an unknown outcome: the library lacks KIP-890, so a late commit could end a
    later transaction of the same producer.
    """
    error = kafka_error(raised)
    final = fatal_error(error)
    if final is not None:
        return final
    if error.txn_requires_abort() or error.code() in POISON:
        return TransactionAborted(
            f"{error.name()}: {error.str()}",
            poison=error.code() in POISON,
            rebalance=error.code() in REBALANCE,
        )
    return OutcomeUnknown(f"{error.name()}: {error.str()}")


def producer_error(raised: BaseException) -> Exception:
    """Translate an exception of aborting or of opening a producer: the producer must then be replaced.

    If the library had not added a partition to the transaction yet, the broker knows of none to abort, and the library
    treats that as fatal (librdkafka issue 4849); a new producer resolves it.
    """
    error = kafka_error(raised)
    if error.code() == KafkaError.INVALID_TXN_STATE:
        return OutcomeUnknown(f"{error.name()}: {error.str()}")
    failure = transaction_error(raised)
    return OutcomeUnknown(str(failure)) if isinstance(failure, TransactionAborted) else failure


def read_error(raised: BaseException) -> Exception:
    """Translate an exception of a call that only reads."""
    error = kafka_error(raised)
    return fatal_error(error) or RetriableError(f"{error.name()}: {error.str()}")


def produce_error(raised: BaseException) -> Exception:
    """Translate an exception of `produce`: the open transaction must be aborted, unless the error is fatal."""
    failure = transaction_error(raised)
    return TransactionAborted(str(failure)) if isinstance(failure, OutcomeUnknown) else failure
