"""Variables that the kubelet adds to a container's environment for each Service."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from cli.app import execute
from consumer.doctor.finding import Status
from consumer.doctor.local import check_settings
from runtime.config.environment import WrongSettings, load_settings
from runtime.config.settings import Settings, variable

BROKERS = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "localhost:9092"}


@dataclass(frozen=True)
class Service:
    """A Service with its ports: number, protocol and name."""

    name: str
    address: str = "10.96.0.12"
    ports: tuple[tuple[int, str, str], ...] = ((9464, "TCP", "metrics"),)


def environment_of(service: Service) -> Mapping[str, str]:
    """Return the variables that the kubelet derives from it (`FromServices` in pkg/kubelet/envvars)."""
    return dict(_variables(service))


def _variables(service: Service) -> Iterator[tuple[str, str]]:
    name = _variable_name(service.name)
    first, protocol, _ = service.ports[0]
    yield f"{name}_SERVICE_HOST", service.address
    yield f"{name}_SERVICE_PORT", str(first)
    yield f"{name}_PORT", _url(service, first, protocol)
    for number, protocol, port_name in service.ports:
        if port_name:
            yield f"{name}_SERVICE_PORT_{_variable_name(port_name)}", str(number)
        prefix = f"{name}_PORT_{number}_{protocol}"
        yield prefix, _url(service, number, protocol)
        yield f"{prefix}_PROTO", protocol.lower()
        yield f"{prefix}_PORT", str(number)
        yield f"{prefix}_ADDR", service.address


def _variable_name(name: str) -> str:
    return name.upper().replace("-", "_")


def _url(service: Service, number: int, protocol: str) -> str:
    host = f"[{service.address}]" if ":" in service.address else service.address
    return f"{protocol.lower()}://{host}:{number}"


NAMES = ["link-actions", *(f"link-actions-{field.replace('_', '-')}" for field in Settings.model_fields)]
NAMES += [f"link-actions-{word}" for word in ("http", "edge", "metrics", "service", "port", "host", "1", "http-v2")]
PORTS = {
    "named": ((9464, "TCP", "metrics"),),
    "unnamed": ((80, "TCP", ""),),
    "several": ((80, "TCP", "http"), (53, "UDP", "dns-udp"), (36412, "SCTP", "s1ap-1")),
}


@pytest.mark.parametrize("address", ["10.96.0.12", "fd00:10:96::12"])
@pytest.mark.parametrize("ports", PORTS.values(), ids=PORTS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_a_service_of_any_name_changes_no_setting(
    name: str, ports: tuple[tuple[int, str, str], ...], address: str
) -> None:
    injected = environment_of(Service(name, address, ports))

    assert load_settings({**BROKERS, **injected}) == load_settings(BROKERS)


def test_setting_of_the_user_is_kept() -> None:
    injected = environment_of(Service("link-actions-http"))
    settings = load_settings({**injected, **BROKERS, "LINK_ACTIONS_HTTP_PORT": "9000"})

    assert settings.http_port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINK_ACTIONS_HTTP_PROT", "9464"),
        ("LINK_ACTIONS_PORT", "9464"),
        ("LINK_ACTIONS_SERVICE_HOST", "localhost"),
        ("LINK_ACTIONS_SERVICE_PORT", "many"),
        ("LINK_ACTIONS_HTTP_PORT", "http://10.96.0.12:9464"),
        ("LINK_ACTIONS_PORT_9464_TCP_PROTO", "http"),
        ("LINK_ACTIONS_SERVICEHOST", "10.96.0.12"),
    ],
)
def test_variable_that_only_resembles_one_is_a_mistake(name: str, value: str) -> None:
    with pytest.raises(WrongSettings, match=name):
        load_settings({**BROKERS, name: value})


def test_doctor_advises_to_disable_service_links() -> None:
    _, plain = check_settings(BROKERS)
    _, some = check_settings({**BROKERS, **environment_of(Service("link-actions"))})
    _, hiding = check_settings({**BROKERS, **environment_of(Service("link-actions-http"))})

    assert [finding.status for finding in plain] == [Status.OK] * 2
    for findings in (some, hiding):
        assert [finding.status for finding in findings] == [Status.OK, Status.OK, Status.WARN]
        assert "enableServiceLinks: false" in findings[-1].fix
        assert findings[1].seen == "valid; set are BOOTSTRAP_SERVERS"
    assert "HTTP_PORT" not in some[-1].seen
    assert variable("http_port") in hiding[-1].seen


def test_run_warns_if_one_hides_a_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "LINK_ACTIONS_LOG_FORMAT": "json"}
    for name, value in {**settings, **environment_of(Service("link-actions-http"))}.items():
        monkeypatch.setenv(name, value)

    assert execute(["run"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    (warning,) = [line for line in lines if line["event"] == "setting.hidden"]
    assert warning["setting"] == "LINK_ACTIONS_HTTP_PORT"
    assert "enableServiceLinks" in warning["detail"]
