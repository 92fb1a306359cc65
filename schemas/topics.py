"""Names of the topics, before the prefix that an installation may put before every name."""

from collections.abc import Mapping
from dataclasses import dataclass

LINK_CLICKS = "link.clicks.v1"
LINK_DEFINITIONS = "link.definitions.v1"
LINK_HITS = "link.hits.v1"
LINK_FORMS = "link.forms.v1"
DEAD_LETTERS = "link.clicks.dlq.v1"
SCRIPT_DEFINITIONS = "script.definitions.v1"
SCRIPT_RUNS = "script.runs.v1"
SCRIPT_DEAD_LETTERS = "crm-updates.script.dlq.v1"
RETURN_URLS = "link.return-urls.v1"


def update_topic(kind: str) -> str:
    """Return where the updates of one kind of action go; it is also their `ce_type`."""
    return f"crm-updates.{kind.replace('_', '-')}.v1"


def changelog_topic(group_id: str) -> str:
    """Return the private changelog of the dedupe state of one consumer group."""
    return f"{group_id}.dedupe-changelog.v1"


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The full name of every topic. `kinds` are the names of the action kinds."""

    prefix: str
    group_id: str
    kinds: tuple[str, ...]

    @property
    def clicks(self) -> str:
        """Topic of the clicks, which the edge publishes."""
        return self.prefix + LINK_CLICKS

    @property
    def definitions(self) -> str:
        """Topic of the link definitions, which the command line publishes."""
        return self.prefix + LINK_DEFINITIONS

    @property
    def hits(self) -> str:
        """Topic of the counts of each link."""
        return self.prefix + LINK_HITS

    @property
    def forms(self) -> str:
        """Topic of the answers to forms, which the edge publishes."""
        return self.prefix + LINK_FORMS

    @property
    def dead_letters(self) -> str:
        """Topic of the dead letters."""
        return self.prefix + DEAD_LETTERS

    @property
    def script_definitions(self) -> str:
        """Topic of the versions of scripts, which the command line publishes."""
        return self.prefix + SCRIPT_DEFINITIONS

    @property
    def script_runs(self) -> str:
        """Topic with a record of each run of a script."""
        return self.prefix + SCRIPT_RUNS

    @property
    def script_dead_letters(self) -> str:
        """Topic of the script updates whose run failed."""
        return self.prefix + SCRIPT_DEAD_LETTERS

    @property
    def return_urls(self) -> str:
        """Topic of the addresses that scripts have set for a recipient's next clicks on a link."""
        return self.prefix + RETURN_URLS

    @property
    def changelog(self) -> str:
        """Changelog topic of this consumer group's dedupe state."""
        return self.prefix + changelog_topic(self.group_id)

    @property
    def updates(self) -> Mapping[str, str]:
        """Topics of the updates, by kind."""
        return {kind: self.update(kind) for kind in self.kinds}

    def update(self, kind: str) -> str:
        """Return the topic of the updates of one kind."""
        return self.prefix + update_topic(kind)
