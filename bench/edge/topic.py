"""The topics of the benchmark's edges."""

PREFIX = "edge."
CLICKS = f"{PREFIX}link.clicks.v1"
