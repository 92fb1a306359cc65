"""A broker with authentication and ACLs, and the client properties for each of its listeners."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from deploy.kafka.locked import LockedKafka
from runtime.kafka.admin.acls import Role
from tests.security.certificates import Authority, Certificate
from tests.support.planted import MARK

USERS = {role: f"{MARK}-of-{role}" for role in Role}
"""The password of each user, marked for the search for leaks at the end of the run."""


@dataclass(frozen=True)
class KafkaEnvironment:
    """The broker, an authority that it trusts and one that it does not, and an admin client that may change ACLs."""

    kafka: LockedKafka
    authority: Authority
    stranger: Authority
    admin: AdminClient

    def by_tls(self) -> Mapping[str, str]:
        """Return properties for TLS alone."""
        return {"security.protocol": "SSL", "ssl.ca.location": str(self.authority.ca)}

    def by_password(self, user: str, password: str, *, mechanism: str = "SCRAM-SHA-512") -> Mapping[str, str]:
        """Return properties for TLS with a password."""
        return {
            **self.by_tls(),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": password,
        }

    def by_certificate(self, certificate: Certificate) -> Mapping[str, str]:
        """Return properties for TLS with a client certificate."""
        mine = {
            "ssl.certificate.location": str(certificate.certificate),
            "ssl.key.location": str(certificate.key),
        }
        return {**self.by_tls(), **mine}
