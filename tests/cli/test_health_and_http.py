import errno
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from consumer.monitoring.metrics import Metrics
from runtime.config.settings import LogFormat, LogLevel
from runtime.errors import UsageError
from runtime.monitoring.health import Health, Phase
from runtime.monitoring.http import MAX_CONNECTIONS, HttpServer, Response, json_response, routes
from runtime.monitoring.logs import configure_logs
from runtime.monitoring.version import versions
from tests.support.patience import stretched
from tests.support.waiting import wait_until


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
    metrics = Metrics(CollectorRegistry(), kinds=[], versions=versions())
    server = HttpServer(0, routes(metrics.exposition, health, {"link-actions": "1"}))
    server.start()
    yield server
    server.stop()


def get(server: HttpServer, path: str) -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=stretched(5))
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.getheader("Content-Type") or "", response.read()
    connection.close()
    return answer


def raw(server: HttpServer, text: str) -> bytes:
    """Send bytes and return the whole response."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


def is_listening(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=5):
        return True
    return False


def threads_of(name: str) -> int:
    return sum(name in thread.name for thread in threading.enumerate())


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


def get_json(server: HttpServer, path: str) -> tuple[int, Any]:
    status, _, body = get(server, path)
    return status, json.loads(body)


def test_worker_is_alive_while_the_loop_turns(health: Health, clock: Clock) -> None:
    clock.now += 59
    assert health.live().alive
    clock.now += 1
    assert not health.live().alive
    health.beat()
    assert health.live().alive
    assert health.live().seconds_since_beat == 0


@pytest.fixture
def working(health: Health) -> Health:
    """Running, with two partitions and a broker that has just answered."""
    health.enter(Phase.RUNNING)
    health.join(is_member=True)
    health.assign([3, 1])
    health.answered()
    return health


def test_worker_is_ready_with_restored_partitions(health: Health) -> None:
    assert not health.ready().ready
    health.enter(Phase.RUNNING)
    assert not health.ready().ready
    health.answered()
    health.join(is_member=True)
    assert not health.ready().ready
    health.assign([3, 1])
    assert health.ready().ready
    health.restore({3: 500})
    assert not health.ready().ready
    assert health.ready().restoring == {3: 500}
    assert health.ready().assigned == (1, 3)
    health.restore({})
    assert health.ready().ready
    health.enter(Phase.STOPPING)
    assert not health.ready().ready


def test_member_without_partitions_is_ready_after_a_while(working: Health, clock: Clock) -> None:
    working.join(is_member=False)
    working.join(is_member=True)
    working.assign([])
    for seconds, ready in ((0, False), (9, False), (1, True), (60, True)):
        clock.now += seconds
        working.join(is_member=True)
        working.answered()
        assert working.ready().ready is ready


def test_worker_outside_the_group_is_not_ready(working: Health, clock: Clock) -> None:
    working.join(is_member=False)
    working.assign([])
    clock.now += 1000
    working.answered()
    assert not working.ready().ready
    assert not working.ready().member


def test_worker_without_a_broker_is_not_ready(working: Health, clock: Clock) -> None:
    clock.now += 19
    assert working.ready().ready
    clock.now += 1
    assert not working.ready().ready
    assert working.ready().seconds_since_broker == 20
    working.commit()
    assert working.ready().ready


def test_interrupted_worker_is_not_ready_and_gives_the_reason(working: Health) -> None:
    working.interrupt("the disk is full")
    assert not working.ready().ready
    assert working.ready().interrupted == "the disk is full"
    working.interrupt(None)
    assert working.ready().ready


def test_readiness_has_seconds_since_commit(health: Health, clock: Clock) -> None:
    assert health.ready().seconds_since_commit is None
    health.commit()
    clock.now += 2.5
    assert health.ready().seconds_since_commit == 2.5


def test_metrics_are_served_in_text_format(server: HttpServer) -> None:
    status, content_type, body = get(server, "/metrics?name=x")

    assert status == 200
    assert content_type.startswith("text/plain")
    assert b"link_actions_records_consumed_total 0.0" in body


def test_probes_answer_200_or_503(server: HttpServer, health: Health, clock: Clock) -> None:
    assert get_json(server, "/livez") == (200, {"alive": True, "seconds_since_beat": 0.0})
    assert get_json(server, "/readyz")[0] == 503
    health.enter(Phase.RUNNING)
    health.join(is_member=True)
    health.answered()
    health.assign([0])
    assert get_json(server, "/readyz") == (
        200,
        {
            "ready": True,
            "phase": "running",
            "member": True,
            "assigned": [0],
            "restoring": {},
            "interrupted": None,
            "seconds_since_broker": 0.0,
            "seconds_since_commit": None,
            "refused": None,
        },
    )
    clock.now += 61
    assert get_json(server, "/livez") == (503, {"alive": False, "seconds_since_beat": 61.0})


def test_version_is_served(server: HttpServer) -> None:
    assert get_json(server, "/version") == (200, {"link-actions": "1"})


def test_unknown_path_gets_404_with_the_known_paths(server: HttpServer) -> None:
    status, answer = get_json(server, "/other")

    assert status == 404
    assert "/metrics" in answer["paths"]


def test_port_in_use_is_a_usage_error(server: HttpServer) -> None:
    with pytest.raises(UsageError, match=rf"port {server.port} \(Address already in use\).*LINK_ACTIONS_HTTP_PORT"):
        HttpServer(server.port, {})


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "nowhere.invalid"])
def test_address_of_another_machine_is_a_usage_error(host: str) -> None:
    with pytest.raises(UsageError, match=rf"Cannot listen on {host} .*; set LINK_ACTIONS_HTTP_HOST"):
        HttpServer(0, {}, host=host)


ADDRESSES = {None: ("127.0.0.1", "::1"), "::": ("127.0.0.1", "::1"), "::1": ("::1",), "127.0.0.1": ("127.0.0.1",)}


@needs_ipv6
@pytest.mark.parametrize(("host", "answers"), ADDRESSES.items())
def test_listens_on_every_address_unless_one_is_set(health: Health, host: str | None, answers: Sequence[str]) -> None:
    server = HttpServer(0, routes(bytes, health, {}), host=host)
    server.start()
    assert [address for address in ("127.0.0.1", "::1") if is_listening(address, server.port)] == list(answers)
    server.stop()


@pytest.mark.parametrize("how", ["disable_ipv6", "no IPv6 in the kernel"])
def test_listens_on_ipv4_without_ipv6(monkeypatch: pytest.MonkeyPatch, health: Health, how: str) -> None:
    if how == "disable_ipv6":
        create = socket.create_server

        def refuse(address: Any, **options: Any) -> socket.socket:
            if options["family"] == socket.AF_INET6:
                raise OSError(errno.EADDRNOTAVAIL, "no address")
            return create(address, **options)

        monkeypatch.setattr(socket, "create_server", refuse)
    else:
        monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    server = HttpServer(0, routes(bytes, health, {}))
    server.start()
    assert is_listening("127.0.0.1", server.port)
    server.stop()


def test_head_is_get_without_the_body(server: HttpServer) -> None:
    for path in ("/metrics", "/livez", "/readyz", "/version", "/other"):
        got, head = raw(server, f"GET {path} HTTP/1.0\r\n\r\n"), raw(server, f"HEAD {path} HTTP/1.0\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 ")
        assert head.endswith(b"\r\n\r\n")
        assert head.splitlines()[0] == got.splitlines()[0]
        assert b"Content-Length: " in head


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"])
def test_other_methods_get_405(server: HttpServer, method: str) -> None:
    answer = raw(server, f"{method} /metrics HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.0 405 ")
    assert b"Allow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    "request_text", ["\r\n", "nonsense\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0" * 70_000]
)
def test_malformed_request_is_rejected_and_the_next_one_served(server: HttpServer, request_text: str) -> None:
    answer = raw(server, request_text)

    assert not answer.startswith(b"HTTP/1.0 2")
    assert get(server, "/version")[0] == 200


def test_slow_clients_do_not_block_probes(server: HttpServer) -> None:
    with ExitStack() as stack:
        for _ in range(3 * MAX_CONNECTIONS):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            slow.sendall(b"GET /li")
        assert get(server, "/version")[0] == 200
        wait_until(lambda: threads_of("process_request") <= MAX_CONNECTIONS, "end of the oldest connections")


def test_waits_for_a_file_descriptor_without_spinning(server: HttpServer) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as client:
        resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, hard))
        try:
            client.connect(("127.0.0.1", server.port))
            before = time.process_time()
            time.sleep(0.3)
            busy = time.process_time() - before
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.settimeout(5)
        client.sendall(b"GET /version HTTP/1.0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.0 200")
    assert busy < 0.1, "it tries again and again without a pause"


def test_stop_does_not_wait_for_hanging_connections(health: Health) -> None:
    server = HttpServer(0, routes(bytes, health, {}))
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as hanging:
        hanging.sendall(b"GET /livez HTTP/1.1\r\n")
        started = time.monotonic()
        server.stop()

        assert time.monotonic() - started < stretched(2)


def test_server_that_was_not_started_can_be_stopped(health: Health) -> None:
    HttpServer(0, routes(bytes, health, {})).stop()


def test_failing_route_is_logged_and_serving_continues(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Response:
        raise RuntimeError("broken")

    configure_logs(LogLevel.INFO, LogFormat.JSON)
    server = HttpServer(0, {"/fail": fail, "/good": lambda: json_response({}, good=True)})
    server.start()
    with pytest.raises(RemoteDisconnected):
        get(server, "/fail")

    assert get_json(server, "/good") == (200, {})
    server.stop()
    assert "http_request.failed" in capsys.readouterr().err
