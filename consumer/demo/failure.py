"""The error that ends the demo."""

from runtime.errors import LinkActionsError


class DemoFailed(LinkActionsError):
    """The demo cannot continue; the message says why and where to look."""
