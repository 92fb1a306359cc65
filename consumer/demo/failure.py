"""The error that ends the demo."""

from consumer.errors import LinkActionsError


class DemoFailed(LinkActionsError):
    """The demo cannot continue; the message says why and where to look."""
