from pathlib import Path
from typing import Any

import pytest

from runtime.config.client_properties import read_properties
from runtime.kafka.credentials import Credentials
from tests.support.waiting import wait_until


class Client:
    """Remembers what it was made with and what it was told since."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.shown = [(config.get("sasl.username"), config.get("sasl.password"))]

    def set_sasl_credentials(self, username: str, password: str) -> None:
        self.shown.append((username, password))


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file that holds the password alone, named by the file of client properties."""
    text = f"sasl.username=me\nsasl.password=${{directory:{tmp_path}:password}}\n"
    (tmp_path / "client.properties").write_text(text)
    path = tmp_path / "password"
    path.write_text("old")
    return path


@pytest.fixture
def credentials(password: Path) -> Credentials:
    return Credentials(read_properties(password.with_name("client.properties")))


def test_new_password_reaches_existing_and_later_clients(credentials: Credentials, password: Path) -> None:
    config = {"sasl.username": "me", "sasl.password": "old"}
    consumer = credentials.open("consumer", Client, config, role="consumer")
    password.write_text("new")
    credentials.refresh()
    later = credentials.open("producer", Client, config, role="producer")
    credentials.refresh()

    assert consumer.shown == [("me", "old"), ("me", "new")]
    assert later.shown == [("me", "new")]


def test_replaced_client_gets_no_more_passwords(credentials: Credentials, password: Path) -> None:
    first, second = (credentials.open("producer", Client, {}, role="producer") for _ in range(2))
    password.write_text("new")
    credentials.refresh()

    assert (len(first.shown), len(second.shown)) == (1, 2)


def test_briefly_missing_file_changes_nothing(credentials: Credentials, password: Path) -> None:
    client = credentials.open("consumer", Client, {}, role="consumer")
    password.unlink()
    credentials.refresh()
    password.write_text("new")
    credentials.refresh()

    assert client.shown[1:] == [("me", "new")]


def test_file_is_watched_until_stopped(credentials: Credentials, password: Path) -> None:
    client = credentials.open("consumer", Client, {}, role="consumer")
    with credentials:
        password.write_text("new")
        wait_until(lambda: len(client.shown) == 2, "new password")


@pytest.mark.parametrize("common", ["sasl.username=me\nsasl.password=old\n", ""])
def test_role_with_separate_credentials_keeps_them(tmp_path: Path, common: str) -> None:
    path = tmp_path / "client.properties"
    path.write_text(f"{common}producer.sasl.username=writer\nproducer.sasl.password=old\n")
    credentials = Credentials(read_properties(path))
    consumer, producer = (
        credentials.open(role, Client, read_properties(path).for_role(role), role=role)
        for role in ("consumer", "producer")
    )
    path.write_text(f"{common}producer.sasl.username=writer\nproducer.sasl.password=new\n")
    credentials.refresh()

    assert consumer.shown == [("me", "old") if common else (None, None)]
    assert producer.shown == [("writer", "old"), ("writer", "new")]


def test_file_briefly_without_password_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "client.properties"
    path.write_text("sasl.username=me\nsasl.password=old\n")
    credentials = Credentials(read_properties(path))
    client = credentials.open("consumer", Client, {}, role="consumer")
    path.write_text("sasl.username=you\n")
    credentials.refresh()

    assert client.shown == [("me", "old")]


def test_file_without_a_password_is_not_watched() -> None:
    with Credentials(None) as credentials:
        assert credentials.open("consumer", Client, {"a": 1}, role="consumer").shown == [(None, None)]
