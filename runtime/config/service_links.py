"""Distinguishes settings from the variables that Kubernetes sets for each Service of the namespace ("service links").

A Service whose name begins with `link-actions` gets variables that begin with LINK_ACTIONS_. For the port 9464, named
`metrics`, of `link-actions-http` these are LINK_ACTIONS_HTTP_SERVICE_HOST, _SERVICE_PORT, _SERVICE_PORT_METRICS, _PORT,
_PORT_9464_TCP, and the last one followed by _PROTO, _PORT and _ADDR (pkg/kubelet/envvars in Kubernetes).
"""

import re
from ipaddress import ip_address

ADVICE = "set enableServiceLinks: false in the pod's spec"
"""How to turn them off."""

_PORT_NUMBER = re.compile(r"\d{1,5}")
_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://(?:\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}")
_PROTOCOL = re.compile(r"tcp|udp|sctp")


def _is_ip_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


_PER_PORT = r"(?:.+_)?PORT_\d{1,5}_(?:TCP|UDP|SCTP)"
_FAMILY = (
    (re.compile(r"(?:.+_)?SERVICE_HOST"), _is_ip_address),
    (re.compile(r"(?:.+_)?SERVICE_PORT(?:_.+)?"), _PORT_NUMBER.fullmatch),
    (re.compile(r"(?:.+_)?PORT"), _ADDRESS.fullmatch),
    (re.compile(_PER_PORT), _ADDRESS.fullmatch),
    (re.compile(_PER_PORT + "_PROTO"), _PROTOCOL.fullmatch),
    (re.compile(_PER_PORT + "_PORT"), _PORT_NUMBER.fullmatch),
    (re.compile(_PER_PORT + "_ADDR"), _is_ip_address),
)


def is_service_link(own_name: str, value: str) -> bool:
    """Return whether Kubernetes has set this variable, judged by its name after LINK_ACTIONS_ and its value.

    If a setting has the same name (HTTP_PORT), the value decides: no setting is the address of a Service.
    """
    return any(name.fullmatch(own_name) and is_valid(value) for name, is_valid in _FAMILY)
