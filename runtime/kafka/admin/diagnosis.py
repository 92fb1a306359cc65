"""Explains why no broker answers and what to fix, from the errors of the client library."""

import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from runtime.config.kafka_settings import KafkaSettings

FILE = "LINK_ACTIONS_KAFKA_CONFIG"
MOST_SPECIFIC_FIRST = ("_AUTHENTICATION", "_SSL", "_RESOLVE", "_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN")
"""Names of errors: a wrong password, for example, also causes a timeout, which says less."""

ANSWER_SECONDS = 3.0


def explain(errors: Mapping[str, str], settings: KafkaSettings) -> str:
    """Return one sentence for the library's errors, given as text by name."""
    name = next((name for name in MOST_SPECIFIC_FIRST if name in errors), "")
    text = re.sub(r"^\S+/\w+: | \(after \d+ms in state \w+.*\)$", "", errors.get(name, ""))
    properties = settings.properties_for("admin")
    reason, advice = _known(name, text, settings.bootstrap_servers, properties)
    return f"No Kafka broker answers at {settings.bootstrap_servers} ({reason}); {advice}"


def _known(name: str, text: str, servers: str, properties: Mapping[str, str]) -> tuple[str, str]:
    if name == "_AUTHENTICATION":
        names = "sasl.mechanism and security.protocol" if "mechanism handshake" in text else "its user and password"
        return text, f"fix {names} in {FILE}"
    if "certificate verify failed" in text:
        return _of_broker_certificate(servers, properties.get("ssl.ca.location"))
    if "alert" in text and "certificate" in text:
        return _of_client_certificate(properties)
    if name == "_SSL" or "SSL" in text:
        return text, f"fix LINK_ACTIONS_BOOTSTRAP_SERVERS, or security.protocol in {FILE}"
    return text, f"start it, or fix LINK_ACTIONS_BOOTSTRAP_SERVERS or {FILE}"


def _of_broker_certificate(servers: str, authority: str | None) -> tuple[str, str]:
    """Verify the certificate again, because the library does not say what is wrong with it."""
    problem = _refusal(servers.split(",", maxsplit=1)[0].rpartition("://")[2], authority)
    reason = f"its certificate is not trusted: {problem}"
    if "mismatch" in problem.lower():
        return (
            reason,
            "name the host in LINK_ACTIONS_BOOTSTRAP_SERVERS as the broker's certificate does, or renew it",
        )
    if "expired" in problem:
        return reason, "renew the certificate of the broker"
    return reason, f"set ssl.ca.location in {FILE} to the authority that signed the broker's certificate"


def _refusal(server: str, authority: str | None) -> str:
    host, _, port = server.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=authority)
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host.strip("[]")),
        ):
            return "the Kafka library refuses it"
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (OSError, ValueError) as error:
        return str(error)


def _of_client_certificate(properties: Mapping[str, str]) -> tuple[str, str]:
    path = properties.get("ssl.certificate.location")
    if path is None:
        reason = "it requires a client certificate, and there is none"
        return reason, f"set ssl.certificate.location and ssl.key.location in {FILE}"
    expiry = expiry_of(Path(path))
    if expiry is not None and expiry < datetime.now(UTC):
        return f"the client's certificate expired on {expiry:%Y-%m-%d %H:%M} UTC", f"renew {path}"
    return (
        "it refuses the client's certificate",
        f"have {path} signed by an authority that the broker trusts",
    )


def expiry_of(certificate: Path) -> datetime | None:
    """Return when the certificate in a PEM file expires; None if it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
