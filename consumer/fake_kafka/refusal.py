"""What the cluster says no to, and what the client library does before it asks the cluster."""

MOST_RECORDS = 1_000_000
"""Of one call of the library."""


class Refusal(Exception):
    """The cluster has carried nothing out, and tells so."""


class Misuse(Exception):
    """The client library refuses the call, whatever the cluster would say: the program has a bug."""


def check_limit(limit: int) -> None:
    """Raise Misuse where the library takes no such number of records."""
    if not 0 <= limit <= MOST_RECORDS:
        raise Misuse(f"a call returns between 0 and {MOST_RECORDS} records, not {limit}")
