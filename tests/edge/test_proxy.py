"""The shipped configuration of nginx, in a real nginx before a real server."""

import http.client
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from deploy.kafka.port import free_ports
from tests.edge.test_http_server import LINK, RunningServer
from tests.security.certificates import Authority
from tests.support.patience import stretched
from tests.support.waiting import wait_until

CONFIGURATION = Path(__file__).parents[2] / "deploy/proxy/nginx.conf"
HOST = "klik.example.com"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Nginx:
    """nginx with the shipped configuration, on another port and with other files."""

    def __init__(self, folder: Path, edge_port: int) -> None:
        (self.port,) = free_ports(1)
        self.folder = folder
        authority = Authority(folder, "authority")
        certificate = authority.issue(HOST)
        shipped = CONFIGURATION.read_text()
        for written, used in (
            ("127.0.0.1:8080", f"127.0.0.1:{edge_port}"),
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("/etc/ssl/klik.example.com.pem", str(certificate.certificate)),
            ("/etc/ssl/klik.example.com.key", str(certificate.key)),
            ("/var/log/nginx", str(folder)),
            ("http2 on;", ""),  # since nginx 1.25
        ):
            assert written in shipped
            shipped = shipped.replace(written, used)
        path = folder / "nginx.conf"
        path.write_text(f"daemon off; pid {folder}/pid; events {{}} http {{ {shipped} }}")
        self._process = subprocess.Popen([str(NGINX), "-p", str(folder), "-e", "nginx.error.log", "-c", str(path)])

    def get(self, **headers: str) -> http.client.HTTPResponse:
        context = ssl._create_unverified_context()  # noqa: S323 - the certificate is of this test
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        try:
            connection.request("GET", f"{LINK}?x=1", headers={"Host": HOST, **headers})
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return self.get().status > 0
        except OSError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(stretched(20))

    @property
    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path / "spool", proxies=(ip_network("127.0.0.0/8"),))
    yield server
    server.close()


def test_click_through_nginx(server: RunningServer, tmp_path: Path) -> None:
    nginx = Nginx(tmp_path, server.address[1])
    try:
        wait_until(nginx.answers, "answer of nginx")
        answer = nginx.get(**{"X-Forwarded-For": "198.51.100.9", "User-Agent": "secret agent"})
        assert (answer.status, answer.headers["Strict-Transport-Security"]) == (302, "max-age=63072000")
        click = server.clicks[-1]
        assert answer.headers["Link-Actions-Click"] == click["click_id"]
        assert click["network"] == "127.0.0.0/24", "a forged address is not believed"
    finally:
        nginx.stop()
    assert "302" in nginx.logs
    assert not [secret for secret in (LINK, "127.0.0.1", "198.51", "agent", "x=1") if secret in nginx.logs]
