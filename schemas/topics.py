"""Names of the topics, before the prefix that an installation may put before every name."""

LINK_CLICKS = "link.clicks.v1"
LINK_DEFINITIONS = "link.definitions.v1"
LINK_HITS = "link.hits.v1"
DEAD_LETTERS = "link.clicks.dlq.v1"


def update_topic(kind: str) -> str:
    """Return where the updates of one kind of action go; it is also their `ce_type`."""
    return f"crm-updates.{kind.replace('_', '-')}.v1"


def changelog_topic(group_id: str) -> str:
    """Return the private changelog of the dedupe state of one consumer group."""
    return f"{group_id}.dedupe-changelog.v1"
