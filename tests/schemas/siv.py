"""AES-SIV as RFC 5297 writes it down, from CMAC and CTR: what tokens must equal."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.cmac import CMAC

_BLOCK = 16


def encrypt(key: bytes, plain: bytes, associated: bytes) -> bytes:
    mac, cipher = key[: len(key) // 2], key[len(key) // 2 :]
    siv = _s2v(mac, associated, plain)
    # Section 2.6: the counter leaves out the top bit of the last two 32-bit words.
    counter = int.from_bytes(siv, "big") & ~(1 << 63 | 1 << 31)
    encryptor = Cipher(AES(cipher), CTR(counter.to_bytes(_BLOCK, "big"))).encryptor()
    return siv + encryptor.update(plain) + encryptor.finalize()


def _s2v(key: bytes, associated: bytes, plain: bytes) -> bytes:
    d = _xor(_double(_cmac(key, bytes(_BLOCK))), _cmac(key, associated))
    if len(plain) >= _BLOCK:
        return _cmac(key, plain[:-_BLOCK] + _xor(plain[-_BLOCK:], d))
    return _cmac(key, _xor(_double(d), plain + b"\x80" + bytes(_BLOCK - len(plain) - 1)))


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def _double(block: bytes) -> bytes:
    doubled = int.from_bytes(block, "big") << 1
    if doubled >> 128:
        doubled = (doubled & ((1 << 128) - 1)) ^ 0x87
    return doubled.to_bytes(_BLOCK, "big")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
