from pathlib import Path

import pytest

from runtime.config.client_properties import UnreadableProperties, read_properties


def properties(folder: Path, text: str) -> Path:
    path = folder / "client.properties"
    path.write_text(text)
    return path


def test_password_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "of-environment")
    (tmp_path / "password").write_text("of-folder\n")
    (tmp_path / "all").write_text("# mine\nother=1\npassword = of=file\n")
    text = f"a=${{env:KAFKA_PASSWORD}}\nb=${{directory:{tmp_path}:password}}\nc=${{file:{tmp_path}/all:password}}\n"

    values = read_properties(properties(tmp_path, text)).values

    assert values == {"a": "of-environment", "b": "of-folder", "c": "of=file"}


def test_value_that_only_resembles_a_reference_is_kept(tmp_path: Path) -> None:
    assert read_properties(properties(tmp_path, "a=${other:x}$y{\n")).values == {"a": "${other:x}$y{"}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("${env:NOBODY_SET_THIS}", "line 1 names the environment variable NOBODY_SET_THIS, which is not set"),
        ("${directory:HERE:x}", "line 1 names HERE/x, which cannot be read"),
        ("${directory:HERE}", "line 1 names no file: write ${directory:FOLDER:FILE}"),
        ("${file:HERE/x:y}", "line 1 names HERE/x, which cannot be read"),
        ("${file:HERE}", "or ${directory:FOLDER:FILE} for a whole file"),
        ("${file:HERE/client.properties:x}", "line 1 names x, which HERE/client.properties does not contain"),
        ("${directory:HERE:bytes}", "line 1 names HERE/bytes, which is not UTF-8 text"),
    ],
)
def test_missing_value_is_named_by_its_location(tmp_path: Path, value: str, sentence: str) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    path = properties(tmp_path, f"sasl.password={value}\n".replace("HERE", str(tmp_path)))

    with pytest.raises(UnreadableProperties) as raised:
        read_properties(path)
    assert sentence.replace("HERE", str(tmp_path)) in str(raised.value)


def test_byte_order_mark_is_not_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes("\ufeffsecret\r\n".encode())
    (tmp_path / "all").write_bytes("\ufeffpassword=secret\u2028\r\nother=1".encode())
    text = f"b=${{directory:{tmp_path}:password}}\nc=${{file:{tmp_path}/all:password}}\n"

    assert read_properties(properties(tmp_path, text)).values == {"b": "secret", "c": "secret"}


def test_variable_in_another_encoding_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "\udce9")
    with pytest.raises(UnreadableProperties, match="KAFKA_PASSWORD, which is not UTF-8 text"):
        read_properties(properties(tmp_path, "a=${env:KAFKA_PASSWORD}\n"))


@pytest.mark.parametrize("secret", [" two words ", "\tof:two=words\t", "# no comment", "${env:HOME}"])
def test_secret_keeps_its_blanks_and_special_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """Only the line break is left out that an editor puts at the end of a file."""
    monkeypatch.setenv("KAFKA_PASSWORD", secret)
    (tmp_path / "plain").write_text(secret)
    (tmp_path / "edited").write_text(f"{secret}\n")
    (tmp_path / "windows").write_bytes(f"{secret}\r\n".encode())
    places = ["env:KAFKA_PASSWORD", *(f"directory:{tmp_path}:{name}" for name in ("plain", "edited", "windows"))]
    text = "".join(f"name-{number}=${{{place}}}\n" for number, place in enumerate(places))

    assert list(read_properties(properties(tmp_path, text)).values.values()) == [secret] * 4


def test_path_may_contain_colons(tmp_path: Path) -> None:
    folder = tmp_path / "mnt:secrets:1"
    folder.mkdir()
    (folder / "password").write_text("of-folder\n")
    (folder / "all").write_text("password=of-file\n")
    text = f"a=${{directory:{folder}:password}}\nb=${{file:{folder}/all:password}}\n"

    assert read_properties(properties(tmp_path, text)).values == {"a": "of-folder", "b": "of-file"}
