"""Refusals of the cluster, and of the client library before it asks the cluster."""

MAX_RECORDS = 1_000_000
"""Limit of one call of the library."""


class Refusal(Exception):
    """The cluster refuses the request and has changed nothing."""


class Misuse(Exception):
    """The client library refuses the call: the program has a bug."""


def check_limit(limit: int) -> None:
    """Raise Misuse if the library does not take this limit."""
    if not 0 <= limit <= MAX_RECORDS:
        raise Misuse(f"a call returns between 0 and {MAX_RECORDS} records, not {limit}")
