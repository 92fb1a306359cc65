"""What the cluster says no to."""


class Refusal(Exception):
    """The cluster has carried nothing out, and tells so."""
