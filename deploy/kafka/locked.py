"""A secured Kafka node: listeners with TLS, SASL/SCRAM over TLS and mutual TLS, and an authorizer.

Clients of the plain listener are the only super users; they create users and ACLs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.process import KafkaProcess, java_command, loopback_addresses
from deploy.kafka.profile import TEST, node_settings

REAUTHENTICATION_MS = 3_000
"""Interval of reauthentication on an open connection: short, so that a test sees it."""

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PROTOCOLS = {"TLS": "SSL", "WRONGLYNAMED": "SSL", "SASL": "SASL_SSL", "MUTUAL": "SSL"}


@dataclass(frozen=True)
class BrokerKeys:
    """PEM files: key and certificate of the node, the same for another host name, and the trusted authority."""

    certificate: Path
    wrongly_named: Path
    authority: Path


@dataclass(frozen=True)
class LockedKafka:
    """The node and the address of each listener; `wrongly_named` has a certificate for another host."""

    process: KafkaProcess
    tls: str
    wrongly_named: str
    sasl: str
    mutual: str

    @property
    def plain(self) -> str:
        """The listener of super users."""
        return self.process.bootstrap_servers


def start_locked(directory: Path, keys: BrokerKeys, *, environ: Mapping[str, str]) -> LockedKafka:
    """Start a new node with data and log below the directory. Raises KafkaMissing."""
    clients, brokers, controllers, *secured = loopback_addresses(3 + len(_PROTOCOLS))
    plain = node_settings(TEST, clients=clients, advertised=clients, brokers=brokers, controllers=controllers)
    listeners = "".join(f",{name}://{where}" for name, where in zip(_PROTOCOLS, secured, strict=True))
    protocols = "".join(f",{name}:{protocol}" for name, protocol in _PROTOCOLS.items())
    settings = {
        **plain,
        "listeners": plain["listeners"] + listeners,
        "advertised.listeners": plain["advertised.listeners"] + listeners,
        "listener.security.protocol.map": plain["listener.security.protocol.map"] + protocols,
        **_authorizer(),
        **_scram(),
        **_certificates(keys),
    }
    process = KafkaProcess(directory, java_command(environ, TEST), environ, settings=settings)
    process.start()
    return LockedKafka(process, *secured)


def _authorizer() -> dict[str, str]:
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # Clients without password and certificate: on the plain listener, and on TLS without a client certificate.
        "super.users": "User:ANONYMOUS",
    }


def _scram() -> dict[str, str]:
    modules = {
        f"listener.name.sasl.scram-sha-{bits}.{name}": value
        for bits in (256, 512)
        for name, value in (
            ("sasl.jaas.config", _SCRAM),
            ("connections.max.reauth.ms", str(REAUTHENTICATION_MS)),
        )
    }
    return {"listener.name.sasl.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512", **modules}


def _certificates(keys: BrokerKeys) -> dict[str, str]:
    settings: dict[str, str] = {}
    for name in _PROTOCOLS:
        shown = keys.wrongly_named if name == "WRONGLYNAMED" else keys.certificate
        settings |= {
            f"listener.name.{name.lower()}.ssl.keystore.type": "PEM",
            f"listener.name.{name.lower()}.ssl.keystore.location": str(shown),
            f"listener.name.{name.lower()}.ssl.truststore.type": "PEM",
            f"listener.name.{name.lower()}.ssl.truststore.location": str(keys.authority),
        }
    return {**settings, "listener.name.mutual.ssl.client.auth": "required"}
