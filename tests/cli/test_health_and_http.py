import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from consumer.errors import UsageError
from consumer.monitoring.health import Health, Phase
from consumer.monitoring.http import Answer, HttpServer, json_answer, routes
from consumer.monitoring.logs import configure_logs
from consumer.monitoring.metrics import Metrics
from consumer.settings import LogFormat, LogLevel


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock, stalled_after_seconds=60)


@pytest.fixture
def server(health: Health) -> Iterator[HttpServer]:
    metrics = Metrics(CollectorRegistry(), kinds=[], versions={"link-actions": "1"})
    server = HttpServer(0, routes(metrics.page, health, {"link-actions": "1"}))
    server.start()
    yield server
    server.stop()


def get(server: HttpServer, path: str) -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.getheader("Content-Type") or "", response.read()
    connection.close()
    return answer


def get_json(server: HttpServer, path: str) -> tuple[int, Any]:
    status, _, body = get(server, path)
    return status, json.loads(body)


def test_the_worker_lives_while_the_loop_turns(health: Health, clock: Clock) -> None:
    clock.now += 59
    assert health.live().alive
    clock.now += 1
    assert not health.live().alive
    health.beat()
    assert health.live().alive
    assert health.live().seconds_since_beat == 0


def test_the_worker_is_ready_once_it_runs_and_nothing_is_being_restored(health: Health) -> None:
    assert not health.ready().ready
    health.enter(Phase.RUNNING)
    assert health.ready().ready
    health.assign([3, 1])
    health.restore({3: 500})
    assert not health.ready().ready
    assert health.ready().restoring == {3: 500}
    assert health.ready().assigned == (1, 3)
    health.restore({})
    assert health.ready().ready
    health.enter(Phase.STOPPING)
    assert not health.ready().ready


def test_readiness_tells_how_long_ago_the_last_commit_was(health: Health, clock: Clock) -> None:
    assert health.ready().seconds_since_commit is None
    health.commit()
    clock.now += 2.5
    assert health.ready().seconds_since_commit == 2.5


def test_metrics_are_served_as_prometheus_text(server: HttpServer) -> None:
    status, content_type, body = get(server, "/metrics?name=x")

    assert status == 200
    assert content_type.startswith("text/plain")
    assert b"link_actions_records_consumed_total 0.0" in body


def test_the_probes_answer_200_or_503(server: HttpServer, health: Health, clock: Clock) -> None:
    assert get_json(server, "/livez") == (200, {"alive": True, "seconds_since_beat": 0.0})
    assert get_json(server, "/readyz")[0] == 503
    health.enter(Phase.RUNNING)
    health.assign([0])
    assert get_json(server, "/readyz") == (
        200,
        {"ready": True, "phase": "running", "assigned": [0], "restoring": {}, "seconds_since_commit": None},
    )
    clock.now += 61
    assert get_json(server, "/livez") == (503, {"alive": False, "seconds_since_beat": 61.0})


def test_the_version_is_told(server: HttpServer) -> None:
    assert get_json(server, "/version") == (200, {"link-actions": "1"})


def test_another_path_is_not_found_and_the_answer_names_those_that_are(server: HttpServer) -> None:
    status, answer = get_json(server, "/other")

    assert status == 404
    assert "/metrics" in answer["paths"]


def test_a_taken_port_is_a_usage_error(server: HttpServer) -> None:
    with pytest.raises(UsageError, match=rf"Port {server.port} cannot be had .*LINK_ACTIONS_HTTP_PORT"):
        HttpServer(server.port, {})


def test_stopping_waits_for_no_connection_that_hangs(health: Health) -> None:
    server = HttpServer(0, routes(bytes, health, {}))
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as hanging:
        hanging.sendall(b"GET /livez HTTP/1.1\r\n")
        started = time.monotonic()
        server.stop()

        assert time.monotonic() - started < 2


def test_a_server_that_was_never_started_can_be_stopped(health: Health) -> None:
    HttpServer(0, routes(bytes, health, {})).stop()


def test_a_route_that_fails_is_logged_and_the_server_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Answer:
        raise RuntimeError("broken")

    configure_logs(LogLevel.INFO, LogFormat.JSON)
    server = HttpServer(0, {"/fail": fail, "/good": lambda: json_answer({}, good=True)})
    server.start()
    with pytest.raises(RemoteDisconnected):
        get(server, "/fail")

    assert get_json(server, "/good") == (200, {})
    server.stop()
    assert "http_request.failed" in capsys.readouterr().err
