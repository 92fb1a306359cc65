"""What ends a command, and the exit code that tells a supervisor which fate it was.

LinkActionsError
├── UsageError          2  a setting, an argument or a file is wrong; the same call fails again
├── Unavailable         3  the broker, a topic or the registry cannot be had; a later call may succeed
├── FatalKafkaError         4  another instance took over, or the stream failed in a way that a restart must judge
├── TooManyBadRecords   5  so many records are bad that stopping loses less than going on
└── Contradictory       6  offsets, memory and clicks do not fit together: a person chooses how to go on
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process tells whoever started it; values are part of the contract."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    UNAVAILABLE = 3
    STREAM_FATAL = 4
    TOO_MANY_BAD_RECORDS = 5
    CONTRADICTORY = 6


class LinkActionsError(Exception):
    """Something a person can mend: the message says in one sentence what is wrong and how.

    It holds no personal data; the command line shows it as it is, without a traceback.
    """

    exit_code: ClassVar[int] = ExitCode.UNEXPECTED


class UsageError(LinkActionsError):
    """A setting, an argument or a file that the caller gave is wrong."""

    exit_code = ExitCode.USAGE


class Unavailable(LinkActionsError):
    """The broker, one of its topics or the schema registry is not there, or not as it must be."""

    exit_code = ExitCode.UNAVAILABLE


class FatalKafkaError(LinkActionsError):
    """The transactional producer was fenced or failed for good; nothing of the open batch was committed."""

    exit_code = ExitCode.STREAM_FATAL


class TooManyBadRecords(LinkActionsError):
    """More records went bad than `LINK_ACTIONS_DEAD_LETTER_LIMIT` allows."""

    exit_code = ExitCode.TOO_MANY_BAD_RECORDS


class Contradictory(LinkActionsError):
    """What the group has committed, what the memory holds and what the clicks topic holds are not one history."""

    exit_code = ExitCode.CONTRADICTORY
