"""Kafka command lines for error messages, to be pasted into a shell that has the settings."""

SERVERS = '--bootstrap-server "$LINK_ACTIONS_BOOTSTRAP_SERVERS"'


def configure_topic(topic: str, name: str, value: object) -> str:
    """Return the command that sets a topic configuration."""
    return f"kafka-configs.sh {SERVERS} --alter --entity-type topics --entity-name {topic} --add-config {name}={value}"


def alter_topic(topic: str, *arguments: object) -> str:
    """Return a kafka-topics.sh command for one topic."""
    return " ".join(["kafka-topics.sh", SERVERS, "--topic", topic, *map(str, arguments)])
