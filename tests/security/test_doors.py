"""Connects by each kind of authentication, and checks the message and advice of each refusal."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka.admin import AclBinding

from runtime.config.client_properties import ClientProperties
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Role
from runtime.kafka.admin.connection import Connection
from tests.security.certificates import DAY, LOOPBACK
from tests.security.environment import USERS, KafkaEnvironment
from tests.security.visitor import Visitor, assert_good, grant, rules_in
from tests.support.planted import MARK
from tests.support.worker import Worker

UNAVAILABLE, USAGE = 3, 2
USER, PASSWORD = Role.WORKER.value, USERS[Role.WORKER]

LINKS = """\
tenant: acme
links:
  - id: spring
    name: Spring
    response: {redirect: "https://www.example.com/spring"}
    actions: [{kind: set_field, field: choice, value: "yes"}]
"""
CLICK = (
    '{"tenant_id": "acme", "link_id": "spring", "recipient_id": "r-1", "person_id": "p",'
    ' "clicked_at": "2026-01-01T00:00:00Z"}\n'
)

Access = Callable[[KafkaEnvironment], tuple[str, Mapping[str, str]]]

ACCESSES: Mapping[str, Access] = {
    "TLS": lambda environment: (environment.kafka.tls, environment.by_tls()),
    "SCRAM-SHA-512 over TLS": lambda environment: (environment.kafka.sasl, environment.by_password(USER, PASSWORD)),
    "SCRAM-SHA-256 over TLS": lambda environment: (
        environment.kafka.sasl,
        environment.by_password("edge", USERS[Role.EDGE], mechanism="SCRAM-SHA-256"),
    ),
    "mutual TLS": lambda environment: (
        environment.kafka.mutual,
        environment.by_certificate(environment.authority.issue("everybody")),
    ),
}
PRINCIPALS = ("User:worker", "User:edge", "User:CN=everybody")


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("access", ACCESSES.values(), ids=ACCESSES.keys())
def test_every_command_connects_to_each_listener(
    environment: KafkaEnvironment, access: Access, topic_prefix: str, tmp_path: Path
) -> None:
    visitor = visitor_at(environment, access, topic_prefix, tmp_path)
    grant(environment.admin, [rule for name in PRINCIPALS for rule in all_rules(visitor, name)])
    (tmp_path / "links.yaml").write_text(LINKS)
    (tmp_path / "clicks.ndjson").write_text(CLICK)

    assert_good(visitor.say("topics", "create", "--partitions", "2"))
    assert_good(visitor.say("links", "publish", str(tmp_path / "links.yaml")))
    assert_good(visitor.say("clicks", "publish", str(tmp_path / "clicks.ndjson")))
    worker = Worker(visitor.environ(), tmp_path / "worker.log", "run", "--drain")
    assert worker.wait_exit() == 0, worker.log
    assert visitor.say("updates", "tail", "--from-beginning", "--until-end", "--json").out.count("\n") == 1
    assert_good(visitor.say("dlq", "list"))
    assert_good(visitor.say("doctor"))


REFUSALS: Mapping[str, tuple[Access, tuple[str, ...]]] = {
    "an authority that did not sign the broker's certificate": (
        lambda environment: (
            environment.kafka.tls,
            {**environment.by_tls(), "ssl.ca.location": str(environment.stranger.ca)},
        ),
        ("its certificate is not trusted", "set ssl.ca.location", "to the authority"),
    ),
    "a certificate for another host": (
        lambda environment: (environment.kafka.wrongly_named, environment.by_tls()),
        ("mismatch", LOOPBACK, "name the host in LINK_ACTIONS_BOOTSTRAP_SERVERS"),
    ),
    "a wrong password": (
        lambda environment: (environment.kafka.sasl, environment.by_password(USER, f"{MARK}-but-wrong")),
        ("invalid credentials", "fix its user and password in LINK_ACTIONS_KAFKA_CONFIG"),
    ),
    "an unknown user": (
        lambda environment: (environment.kafka.sasl, environment.by_password("unknown", PASSWORD)),
        ("invalid credentials", "fix its user and password"),
    ),
    "a mechanism that the broker does not have": (
        lambda environment: (environment.kafka.sasl, environment.by_password(USER, PASSWORD, mechanism="PLAIN")),
        ("SCRAM-SHA-512", "fix sasl.mechanism"),
    ),
    "no client certificate": (
        lambda environment: (environment.kafka.mutual, environment.by_tls()),
        ("requires a client certificate", "set ssl.certificate.location and ssl.key.location"),
    ),
    "an expired client certificate": (
        lambda environment: (
            environment.kafka.mutual,
            environment.by_certificate(environment.authority.issue("late", valid=-DAY)),
        ),
        ("client's certificate expired on", "renew"),
    ),
    "a client certificate of an unknown authority": (
        lambda environment: (
            environment.kafka.mutual,
            environment.by_certificate(environment.stranger.issue("worker")),
        ),
        ("refuses the client's certificate", "signed by an authority that the broker trusts"),
    ),
    "no TLS where the broker wants it": (
        lambda environment: (environment.kafka.tls, {"client.id": "plain"}),
        ("No Kafka broker answers", "fix LINK_ACTIONS_BOOTSTRAP_SERVERS or LINK_ACTIONS_KAFKA_CONFIG"),
    ),
    "TLS where the broker has none": (
        lambda environment: (environment.kafka.plain, environment.by_tls()),
        ("SSL", "security.protocol"),
    ),
}


@pytest.fixture(scope="session")
def sentences(environment: KafkaEnvironment, users: Mapping[Role, str]) -> Mapping[str, str]:  # noqa: ARG001 - they must exist
    """Return the message of each refusal; all connect at once because each takes seconds."""

    def said(access: Access) -> str:
        address, properties = access(environment)
        file = ClientProperties(Path("client.properties"), properties)
        with pytest.raises(Unavailable) as raised:
            Connection(Settings(bootstrap_servers=address, kafka_config=file).kafka, answer_seconds=3.0).metadata()
        return str(raised.value)

    with ThreadPoolExecutor(len(REFUSALS)) as pool:
        return dict(zip(REFUSALS, pool.map(said, (access for access, _ in REFUSALS.values())), strict=True))


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refused_connection_has_a_one_line_fix(sentences: Mapping[str, str], refusal: str) -> None:
    _, words = REFUSALS[refusal]
    missing = [word for word in words if word not in sentences[refusal]]
    assert not missing, f"{missing} are not in: {sentences[refusal]}"


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("command", [("run",), ("updates", "tail")], ids=" ".join)
def test_refused_command_prints_only_the_message(
    environment: KafkaEnvironment, command: tuple[str, ...], tmp_path: Path
) -> None:
    access, words = REFUSALS["a wrong password"]
    said = visitor_at(environment, access, "nowhere.", tmp_path).say(*command)

    assert said.code == UNAVAILABLE, said
    assert all(word in said.err.splitlines()[-1] for word in words), said
    assert [line for line in said.err.splitlines()[:-1] if not line.startswith("{")] == []


@pytest.mark.parametrize("name", ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location"])
def test_missing_certificate_is_a_usage_error(environment: KafkaEnvironment, name: str, tmp_path: Path) -> None:
    mine = environment.by_certificate(environment.authority.issue("worker"))
    visitor = visitor_at(
        environment, lambda _: (environment.kafka.mutual, {**mine, name: "/nowhere.pem"}), "", tmp_path
    )

    said = visitor.say("updates", "tail")

    assert said.code == USAGE, said
    assert f"names the file /nowhere.pem in {name}, which cannot be read" in said.err


def visitor_at(environment: KafkaEnvironment, access: Access, prefix: str, folder: Path) -> Visitor:
    address, properties = access(environment)
    settings = {
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": address,
        "LINK_ACTIONS_TOPIC_PREFIX": prefix,
        "LINK_ACTIONS_INSTANCE_ID": "one",
    }
    return Visitor(folder, settings, properties)


def all_rules(visitor: Visitor, principal: str) -> list[AclBinding]:
    lines = [visitor.say("acls", role, "--principal", principal).out.splitlines() for role in Role]
    return rules_in({line for each in lines for line in each})
