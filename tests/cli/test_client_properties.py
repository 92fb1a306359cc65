from pathlib import Path

import pytest

from runtime.config.client_properties import OURS, UnreadableProperties, read_properties


def written(folder: Path, text: str) -> Path:
    path = folder / "client.properties"
    path.write_text(text)
    return path


def test_names_values_comments_and_empty_lines_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "# a comment\n! another\n\nsasl.username = me\nsasl.password=a=b c\n")

    assert read_properties(path).values == {"sasl.username": "me", "sasl.password": "a=b c"}


def test_prefixed_property_applies_to_one_kind_of_client(tmp_path: Path) -> None:
    path = written(tmp_path, "linger.ms=1\nproducer.linger.ms=9\nconsumer.fetch.min.bytes=2\n")
    properties = read_properties(path)

    assert properties.for_role("producer") == {"linger.ms": "9"}
    assert properties.for_role("consumer") == {"linger.ms": "1", "fetch.min.bytes": "2"}
    assert properties.for_role("admin") == {"linger.ms": "1"}


def test_invalid_line_is_reported_without_its_value(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a=1\nhunter2\na=2\nacks=hunter2\nproducer.acks=1\nsasl.jaas.config=x\nerror_cb=x\n=x\nb=\n"
    )
    with pytest.raises(UnreadableProperties) as raised:
        read_properties(path)
    message = str(raised.value)

    for sentence in (
        "line 2 is not name=value",
        "line 3 sets a a second time",
        "line 4 sets acks, which must not be set here",
        "line 5 sets producer.acks, which must not be set here",
        "line 6 sets sasl.jaas.config, which only the Java client has: use sasl.username",
        "line 7 sets error_cb, which is not a text property",
        "line 8 lacks a name or a value",
        "line 9 lacks a name or a value",
    ):
        assert sentence in message
    assert "hunter2" not in message


@pytest.mark.parametrize("name", sorted(OURS))
def test_property_of_exactly_once_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableProperties, match=r"must not be set here: \w+"):
        read_properties(written(tmp_path, f"{name}=x\n"))


def test_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "client.properties"
    path.write_bytes(b"\xff\xfe=\x00")
    with pytest.raises(UnreadableProperties, match="is not UTF-8"):
        read_properties(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableProperties, match=r"nothing\.properties cannot be read"):
        read_properties(tmp_path / "nothing.properties")


@pytest.mark.parametrize("name", ["partition.assignment.strategy", "consumer.partition.assignment.strategy"])
def test_other_partition_assignors_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableProperties, match="supports as cooperative-sticky only"):
        read_properties(written(tmp_path, f"{name}=range,roundrobin\n"))
    assert read_properties(written(tmp_path, f"{name}=cooperative-sticky\n")).values == {name: "cooperative-sticky"}


def test_byte_order_mark_and_crlf_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "client.properties"
    path.write_bytes("\ufeffsasl.username=me\r\nsasl.password=a\u2028b\u0085c\r\n".encode())

    assert read_properties(path).values == {"sasl.username": "me", "sasl.password": "a\u2028b\u0085c"}


def test_nul_byte_is_a_mistake_of_its_line(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"a\0b")
    path = written(tmp_path, f"ssl.ca.location=a\0b\nsasl.password=${{directory:{tmp_path}:password}}\n")
    with pytest.raises(UnreadableProperties) as raised:
        read_properties(path)

    assert "line 1 has a NUL byte, line 2 has a NUL byte in sasl.password" in str(raised.value)


def test_mistakes_of_a_foreign_file_are_limited(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n" * 100)
    with pytest.raises(UnreadableProperties) as raised:
        read_properties(path)

    assert str(raised.value).endswith("line 10 is not name=value, and 90 mistakes more")
