"""Batches of entries as the loop makes them, and rarer ones, the same for the same number."""

import random
from collections.abc import Mapping

Batch = dict[bytes, bytes | None]
RECIPIENTS = 2_000


def a_batch(number: int, *, size: int = 200) -> Batch:
    """Mostly new and known clicks of 20 bytes and 10, hits that change each time, some of everything else."""
    chance = random.Random(number)
    batch: Batch = {_a_click(chance): chance.randbytes(10) for _ in range(size)}
    batch |= {link.to_bytes(16, "big"): number.to_bytes(25, "big") for link in range(size // 5)}
    batch |= {_a_click(chance) + b"to-scope": chance.randbytes(10) for _ in range(size // 10)}
    batch |= {_a_click(chance): None for _ in range(size // 20)}
    batch |= {_a_click(chance): chance.randbytes(chance.randrange(300)) for _ in range(size // 20)}
    batch |= {b"a definition's key, longer than what fits " + _a_click(chance): chance.randbytes(900)}
    batch |= {chance.randbytes(chance.randrange(4)): b"", b"\x00partitions": b"\x00\x00\x00\x04"}
    return batch


def a_large_batch(number: int) -> Batch:
    """A batch without the empty key, and half a megabyte on top that replaces what came long before."""
    batch: Batch = {key: value for key, value in a_batch(number).items() if key}
    places = (b"large/%d" % ((number * 120 + place) % 3_000) for place in range(120))
    return batch | {place: number.to_bytes(8, "big") * 500 for place in places}


def follow(model: dict[bytes, bytes], batch: Mapping[bytes, bytes | None]) -> None:
    """Do to a dict what the store must do."""
    for key, value in batch.items():
        if value is None:
            model.pop(key, None)
        else:
            model[key] = value


def _a_click(chance: random.Random) -> bytes:
    recipient, link = chance.randrange(RECIPIENTS), chance.randrange(3)
    return random.Random(recipient).randbytes(12) + random.Random(-1 - link).randbytes(8)
