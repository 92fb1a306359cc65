"""The token of a tracked link: its payload under AES-SIV, so that ids are unreadable and nothing can be forged.

A token is base64url (RFC 4648, section 5) without padding of

    0x01      the format
    key id    4 bytes, big-endian
    SIV       16 bytes, IV and tag in one (RFC 5297)
    payload   encrypted, see `schemas.token_payload`

in the format of Google Tink's deterministic AEAD, for a key of that id and the associated data `ASSOCIATED_DATA`.
The same fields and key always give the same token, so a message that is rendered twice has the same links. A payload is
padded where the token would end in a character that mail programs take for punctuation.

A program in Python that sends mail makes its links with `sign` and `link_url`:

    key = derive_key(master, 975912013, "acme")
    sent = SentLink("spring-offer", "r-17", person_id="4711", mailing_id="spring", link_count=12)
    url = link_url("klik.example.com", sign(key, sent))

`link-actions links sign` makes the same links from lines of JSON. Neither needs a broker or a database.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.token_payload import BadPayload, SentLink, pack, padded, unpack

ASSOCIATED_DATA = b"link-actions/link/1"
KEY_BYTES = 64
MAX_TOKEN_CHARACTERS = 4_096

_KEY_INFO = b"link-actions/link-key/1"
_HEADER = Struct(">BI")
_FORMAT = 1
_SIV_BYTES = 16
_DECOY = AESSIV(bytes(range(KEY_BYTES)))
"""Opens nothing. It replaces an unknown key, so that both refusals take the same time."""


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STANDARD = bytes.maketrans(b"-_+/", b"+/**")
"""To the alphabet of base64 (RFC 4648, section 4), whose own two other characters are foreign here."""
_PADDING = (b"", b"===", b"==", b"=")
_LAST = ("", "", _ALPHABET[::16], _ALPHABET[::4])
"""Last characters without stray bits, by the number of characters after the last whole group of four."""


class BadToken(Exception):
    """A token that no key of the keyring made, or that was damaged on its way. The message holds no id."""


@dataclass(frozen=True, slots=True)
class LinkKey:
    """A key of one tenant; `key_id` is from 1 to 2^32-1, `secret` has 64 bytes."""

    key_id: int
    tenant_id: str
    secret: bytes = field(repr=False)
    cipher: AESSIV = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a key has {len(self.secret)} bytes, and must have {KEY_BYTES}")
        if not 0 < self.key_id < 2**32:
            raise ValueError(f"key id {self.key_id} is not from 1 to 2^32-1")
        object.__setattr__(self, "cipher", AESSIV(self.secret))


def derive_key(master: bytes, key_id: int, tenant_id: str) -> LinkKey:
    """Derive a tenant's key by HKDF-SHA256 (RFC 5869), so that only masters need a backup."""
    info = _KEY_INFO + key_id.to_bytes(4, "big") + tenant_id.encode()
    return LinkKey(key_id, tenant_id, HKDF(SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master))


def sign(key: LinkKey, sent: SentLink) -> str:
    """Return the token. Raises ValueError for what cannot be packed or gets too long."""
    payload = pack(sent)
    if (_HEADER.size + _SIV_BYTES + len(payload)) % 3 == 0:
        payload = padded(payload)
    sealed = key.cipher.encrypt(payload, [ASSOCIATED_DATA])
    token = base64.urlsafe_b64encode(_HEADER.pack(_FORMAT, key.key_id) + sealed).rstrip(b"=").decode()
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise ValueError(f"the token has {len(token)} characters, and {MAX_TOKEN_CHARACTERS} are allowed: shorten ids")
    return token


def link_url(host: str, token: str) -> str:
    """Return the link `https://<host>/l/<token>`.

    `host` is the tenant's tracking host, in ASCII, with a port unless it is 443. For trials without TLS it may
    begin with http://.
    """
    return f"{host if '://' in host else f'https://{host}'}/l/{token}"


def open_token(
    token: str, keys: Mapping[int, LinkKey], unpack: Callable[[bytes], SentLink] = unpack
) -> tuple[LinkKey, SentLink]:
    """Return the key that made the token, and what it holds. Raises BadToken.

    `unpack` may be another implementation of `schemas.token_payload.unpack`.
    """
    raw = _decode(token)
    version, key_id = _HEADER.unpack_from(raw)
    if version != _FORMAT:
        raise BadToken("its format is not known")
    key = keys.get(key_id)
    try:
        payload = (key.cipher if key else _DECOY).decrypt(raw[_HEADER.size :], [ASSOCIATED_DATA])
    except InvalidTag as error:
        raise BadToken("it was damaged or forged" if key else "its key is not known") from error
    if key is None:
        raise BadToken("its key is not known")
    try:
        return key, unpack(payload)
    except BadPayload as error:
        raise BadToken(str(error)) from error


def _decode(token: str) -> bytes:
    """Accept one text per token: Python's own decoder skips foreign characters and ignores stray bits."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BadToken("it is too long")
    unpadded = len(token) % 4
    try:
        raw = binascii.a2b_base64(token.encode("ascii").translate(_STANDARD) + _PADDING[unpadded], strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("it is not base64url") from error
    if unpadded and token[-1] not in _LAST[unpadded]:
        raise BadToken("it is not base64url in its one canonical form")
    if len(raw) < _HEADER.size + _SIV_BYTES + 1:
        raise BadToken("it is too short")
    return raw
