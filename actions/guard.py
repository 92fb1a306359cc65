"""The guard of an action: what a click needs, beside the facts, for the action to apply."""

from enum import StrEnum


class Guard(StrEnum):
    """The guards; the words of link files and of the wire."""

    NONE = "none"
    """Every click acts."""
    CONFIRM = "confirm"
    """Only a click that a person confirmed with a button acts."""
