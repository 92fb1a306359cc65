"""How Kafka's own programs are called in what we advise, so that it can be pasted where the settings are set."""

SERVERS = '--bootstrap-server "$LINK_ACTIONS_BOOTSTRAP_SERVERS"'


def configure_topic(topic: str, name: str, value: object) -> str:
    """Return the command that changes a setting of a topic."""
    return f"kafka-configs.sh {SERVERS} --alter --entity-type topics --entity-name {topic} --add-config {name}={value}"


def alter_topic(topic: str, *arguments: object) -> str:
    """Return a call of kafka-topics.sh about one topic."""
    return " ".join(["kafka-topics.sh", SERVERS, "--topic", topic, *map(str, arguments)])
