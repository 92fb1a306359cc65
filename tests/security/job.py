"""The whole job on a broker with ACLs, from creating topics to reading updates, each part by a separate user."""

from collections.abc import Mapping
from pathlib import Path

from cli.entry import topic_names
from runtime.config.settings import Settings
from runtime.kafka.admin.acls import Acl, Role, acls_of
from tests.security.environment import KafkaEnvironment
from tests.security.visitor import Said, Visitor, grant, rules_in
from tests.support.worker import Worker

PREFIX = "locked."
SUBSCRIBER_GROUP = "crm-sync"
SETTINGS = Settings(bootstrap_servers="set-later:1", topic_prefix=PREFIX, instance_id="one")

LINKS = """\
tenant: acme
links:
  - id: spring
    name: Spring
    response: {redirect: "https://www.example.com/spring"}
    actions: [{kind: set_field, field: choice, value: "yes"}]
"""


SCRIPTS = """\
tenant: acme
scripts:
  - {id: score, file: score.js, emits: [add_to_field]}
"""


def rights(role: Role) -> tuple[Acl, ...]:
    """Return the ACLs that the program lists for this role."""
    return acls_of(role, SETTINGS.kafka, topic_names(SETTINGS), subscriber_group=SUBSCRIBER_GROUP)


class Job:
    """Users with their rights; `say` calls a command as one of them."""

    def __init__(self, environment: KafkaEnvironment, passwords: Mapping[Role, str], folder: Path) -> None:
        self.environment = environment
        self._passwords = passwords
        self._folder = folder
        self.links = folder / "links.yaml"
        self.links.write_text(LINKS)
        self.scripts = folder / "scripts.yaml"
        self.scripts.write_text(SCRIPTS)
        self.source = folder / "score.js"
        self.source.write_text("")

    def visitor(self, role: Role) -> Visitor:
        """Return the user of this role."""
        settings = {
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": self.environment.kafka.sasl,
            "LINK_ACTIONS_TOPIC_PREFIX": PREFIX,
            "LINK_ACTIONS_INSTANCE_ID": "one",
        }
        mechanism = "SCRAM-SHA-256" if role is Role.EDGE else "SCRAM-SHA-512"
        properties = self.environment.by_password(role.value, self._passwords[role], mechanism=mechanism)
        return Visitor(self._folder / role.value, settings, properties)

    def say(self, role: Role, *arguments: str) -> Said:
        """Call a command as the user of this role."""
        return self.visitor(role).say(*arguments)

    def rules(self, role: Role) -> list[str]:
        """Return the ACLs of this role as the command prints them."""
        said = self.say(role, "acls", role, "--principal", f"User:{role}", "--subscriber-group", SUBSCRIBER_GROUP)
        assert said.code == 0, said.err
        return said.out.splitlines()

    def grant(self, role: Role) -> None:
        """Give this role exactly the rights that the command prints."""
        grant(self.environment.admin, rules_in(self.rules(role)))

    def work(self, *arguments: str) -> Worker:
        """Start a worker."""
        visitor = self.visitor(Role.WORKER)
        return Worker(visitor.environ(), visitor.folder / "worker.log", "run", *arguments)

    def publish_click(self, recipient: str) -> Said:
        """Publish a click of this recipient as the edge."""
        path = self._folder / "clicks.ndjson"
        path.write_text(
            f'{{"tenant_id": "acme", "link_id": "spring", "recipient_id": "{recipient}", "person_id": "p",'
            ' "clicked_at": "2026-01-01T00:00:00Z"}\n'
        )
        return self.say(Role.EDGE, "clicks", "publish", str(path))
