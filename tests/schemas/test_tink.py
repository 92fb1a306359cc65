"""Tokens are what Google Tink makes with the same key, so senders may use it in any of its languages."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tink import daead, json_proto_keyset_format, secret_key_access

from schemas import link_token
from schemas.link_token import ASSOCIATED_DATA, LinkKey, derive_key, open_token, sign
from schemas.token_payload import SentLink
from tests.schemas.test_link_token import KEY, sent_links

VECTORS = json.loads((Path(link_token.__file__).parent / "link_token_vectors.json").read_text())
AES_SIV = "type.googleapis.com/google.crypto.tink.AesSivKey"


def tink_of(key: LinkKey) -> Any:
    """Tink's deterministic AEAD with this key, in a keyset as its tools write it."""
    daead.register()
    proto = b"\x12" + bytes([len(key.secret)]) + key.secret  # field 2 of AesSivKey, key_value
    keyset = {
        "primaryKeyId": key.key_id,
        "key": [
            {
                "keyData": {
                    "typeUrl": AES_SIV,
                    "value": base64.b64encode(proto).decode(),
                    "keyMaterialType": "SYMMETRIC",
                },
                "status": "ENABLED",
                "keyId": key.key_id,
                "outputPrefixType": "TINK",
            }
        ],
    }
    handle = json_proto_keyset_format.parse(json.dumps(keyset), secret_key_access.TOKEN)
    return handle.primitive(daead.DeterministicAead)


TINK = tink_of(KEY)


def raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@given(sent_links())
def test_tink_opens_a_token_and_makes_the_same(sent: SentLink) -> None:
    token = raw(sign(KEY, sent))

    payload = TINK.decrypt_deterministically(token, ASSOCIATED_DATA)

    assert TINK.encrypt_deterministically(payload, ASSOCIATED_DATA) == token


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda vector: vector["name"])
def test_tink_makes_the_golden_vectors(vector: dict[str, Any]) -> None:
    key = derive_key(bytes.fromhex(VECTORS["master"]), VECTORS["key_id"], VECTORS["tenant_id"])
    tink = tink_of(key)
    payload = key.cipher.decrypt(raw(vector["token"])[5:], [ASSOCIATED_DATA])

    made = tink.encrypt_deterministically(payload, ASSOCIATED_DATA)

    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == vector["token"]
    assert open_token(vector["token"], {key.key_id: key})[1] == SentLink(**vector["fields"])


def test_another_key_differs() -> None:
    other = tink_of(derive_key(b"another master".ljust(32), KEY.key_id, KEY.tenant_id))

    assert other.encrypt_deterministically(b"x", ASSOCIATED_DATA) != TINK.encrypt_deterministically(
        b"x", ASSOCIATED_DATA
    )
