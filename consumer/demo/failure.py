"""When the demo cannot be shown to its end."""

from consumer.errors import LinkActionsError


class DemoFailed(LinkActionsError):
    """Something did not go as it must; the sentence says what, and where to look."""
