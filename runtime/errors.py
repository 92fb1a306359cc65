"""Errors that end a command, each with the exit code that a supervisor sees.

LinkActionsError
├── UsageError          2  a setting, an argument or a file is wrong; the same call fails again
├── Unavailable         3  the broker, a topic or the registry is missing or not as it must be; ends the process
├── FatalKafkaError     4  another instance fenced the worker, or the producer failed for good; a restart may help
├── TooManyBadRecords   5  more records are bad than the limit allows
└── Contradictory       6  offsets, dedupe state and clicks contradict each other; a person must choose how to continue

Errors that the loop retries are no LinkActionsError: `runtime.ports.RetriableError`.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the process; the values are part of the contract."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    UNAVAILABLE = 3
    FATAL_KAFKA_ERROR = 4
    TOO_MANY_BAD_RECORDS = 5
    CONTRADICTORY = 6


class LinkActionsError(Exception):
    """An error that a person can fix: the message says in one sentence what is wrong and what to do.

    It holds no personal data; the command line prints it without a traceback.
    """

    exit_code: ClassVar[int] = ExitCode.UNEXPECTED


class UsageError(LinkActionsError):
    """A setting, an argument or a file of the caller is wrong."""

    exit_code = ExitCode.USAGE


class Unavailable(LinkActionsError):
    """The broker, a topic or the schema registry is missing or not as it must be; the process ends."""

    exit_code = ExitCode.UNAVAILABLE


class FatalKafkaError(LinkActionsError):
    """The transactional producer was fenced or failed for good; the open transaction was not committed."""

    exit_code = ExitCode.FATAL_KAFKA_ERROR


class TooManyBadRecords(LinkActionsError):
    """More records are bad than `LINK_ACTIONS_DEAD_LETTER_LIMIT` allows."""

    exit_code = ExitCode.TOO_MANY_BAD_RECORDS


class Contradictory(LinkActionsError):
    """Committed offsets, dedupe state and the clicks topic contradict each other."""

    exit_code = ExitCode.CONTRADICTORY
