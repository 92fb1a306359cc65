"""The reasons for which a token is refused. A person sees the same page for all of them."""

from enum import StrEnum


class TokenRefusal(StrEnum):
    """The reason for a refusal, for the metrics."""

    MALFORMED = "malformed"
    """It is not base64url in its canonical form, too short or too long."""
    NOT_OPENED = "not_opened"
    """No key of the keyring made it, or it was damaged."""
    REVOKED = "revoked"
    HOST = "host"
    """It belongs to a tenant that does not use this host."""
    UNKNOWN_LINK = "unknown_link"
