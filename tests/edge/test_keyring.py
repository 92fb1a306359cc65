import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.keyring import BadKeyring, KeyState, keyring_file, load_keyring, parse_keyring
from schemas.link_token import derive_key

MASTER = base64.b64encode(bytes(range(32))).decode()
SECRET = base64.b64encode(bytes(range(64))).decode()
SOUND = f"""
masters: {{main: {MASTER}}}
keys:
  - {{key_id: 1, tenant: acme, state: valid, created: 2026-11-01, master: main}}
  - {{key_id: 2, tenant: acme, state: signing, created: 2026-12-01, master: main}}
  - {{key_id: 3, tenant: globex, state: answer_only, created: 2026-12-01, secret: {SECRET}}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keyring.yaml"
    path.touch(mode=0o600)
    path.write_text(SOUND)
    return path


def test_keys_are_derived_or_there_themselves(path: Path) -> None:
    keyring = load_keyring(path)

    assert keyring.signing_key("acme") == derive_key(bytes(range(32)), 2, "acme")
    assert keyring.keys[3].secret == bytes(range(64))
    assert keyring.states == {1: KeyState.VALID, 2: KeyState.SIGNING, 3: KeyState.ANSWER_ONLY}
    with pytest.raises(BadKeyring, match="signs for tenant globex"):
        keyring.signing_key("globex")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("key_id: 2", "key_id: 1", "two keys have the id 1"),
        ("state: valid", "state: signing", "two keys sign for tenant acme"),
        ("state: valid", "state: lost", r"keys\.0\.state"),
        ("key_id: 2", "key_id: 4294967296", r"keys\.1\.key_id"),
        ("master: main}\n  - {key_id: 2", "master: other}\n  - {key_id: 2", "no master is called other"),
        (", master: main}\n  - {key_id: 2", "}\n  - {key_id: 2", "either a master or a secret"),
        (MASTER, "c2hvcnQ=", "at least 32"),
        (MASTER, "'???'", "not base64"),
        (SECRET, "c2hvcnQ=", "a key has 64"),
        ("masters", "master", "Extra inputs"),
        ("keys:", "keys: [", "no YAML"),
        (SOUND, "", "the file"),
    ],
)
def test_mistakes_are_told_without_a_secret(right: str, wrong: str, told: str) -> None:
    assert right in SOUND
    with pytest.raises(BadKeyring, match=told) as raised:
        parse_keyring(SOUND.replace(right, wrong, 1), "keyring.yaml")
    assert MASTER not in str(raised.value)
    assert SECRET not in str(raised.value)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        parse_keyring(text, "keyring.yaml")
    except BadKeyring:
        return


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(BadKeyring, match="chmod 600"):
        load_keyring(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadKeyring, match="cannot be read"):
        load_keyring(tmp_path / "none.yaml")


def test_a_changed_file_is_read_again(path: Path) -> None:
    file = keyring_file(path)
    path.write_text(SOUND.replace("state: valid", "state: revoked"))

    assert file.refresh() is None
    assert file.current.states[1] is KeyState.REVOKED


def test_a_file_that_became_unusable_leaves_the_keys_as_they_were(path: Path) -> None:
    """No mistake in the file ever invalidates a link that is out."""
    file = keyring_file(path)
    before = file.current

    path.write_text("keys: [")
    assert "no YAML" in (file.refresh() or "")
    assert file.refresh() is None
    path.unlink()
    assert "cannot be read" in (file.refresh() or "")

    assert file.current is before
