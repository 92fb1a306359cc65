"""The closed list of reasons why a record becomes a dead letter."""

from enum import StrEnum


class Reason(StrEnum):
    """Value of the header `dlq.reason`; subscribers may switch on it, so symbols are only ever added."""

    NULL_VALUE = "null_value"
    EMPTY_VALUE = "empty_value"
    TOO_LARGE = "too_large"
    UNKNOWN_FRAME = "unknown_frame"
    UNKNOWN_SCHEMA = "unknown_schema"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    INVALID_UTF8 = "invalid_utf8"
    TRAILING_BYTES = "trailing_bytes"
    IDENTITY_MISSING = "identity_missing"
    IDENTITY_INVALID = "identity_invalid"
    CLICK_ID_MISSING = "click_id_missing"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    UNKNOWN_VERSION = "unknown_version"
    UNREADABLE_DEFINITION = "unreadable_definition"
    REJECTED_BY_BROKER = "rejected_by_broker"
    PROCESS_CRASH = "process_crash"


class BadRecord(Exception):
    """A record that fails at every retry.

    `detail` goes into the header `dlq.detail`: it says where the record is wrong and holds no data of a person.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
