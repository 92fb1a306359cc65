"""Ids of clicks."""

import os
from collections.abc import Iterator

from schemas.identity import VARIANT

_IDS_AT_A_TIME = 256


def click_ids() -> Iterator[str]:
    """Yield random UUIDs (RFC 9562, version 4); the system is asked for the bytes of many at a time."""
    while True:
        digits = os.urandom(16 * _IDS_AT_A_TIME).hex()
        for at in range(0, len(digits), 32):
            own = digits[at : at + 32]
            yield f"{own[:8]}-{own[8:12]}-4{own[13:16]}-{VARIANT[own[16]]}{own[17:20]}-{own[20:]}"
