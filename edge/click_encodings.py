"""The implementations of what each click needs most: opening its token's payload and encoding its record."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from edge import click_encoding_py
from edge.answered_click import AnsweredClick
from runtime.records.implementation import PYTHON, C, best
from schemas.token_payload import SentLink


class ClickEncoding(NamedTuple):
    """One implementation."""

    unpack: Callable[[bytes], SentLink]
    encode_click: Callable[[bytes, AnsweredClick], bytes]


_encodings = {PYTHON: ClickEncoding(click_encoding_py.unpack, click_encoding_py.encode_click)}
try:
    from edge import click_encoding_c
except ImportError:  # there was no C compiler, or it was built for another Python
    pass
else:
    _encodings[C] = ClickEncoding(click_encoding_c.unpack, click_encoding_c.encode_click)

ENCODINGS: Mapping[str, ClickEncoding] = MappingProxyType(_encodings)
"""The encodings by the name of the implementation."""


def best_encoding() -> str:
    """Return the name of the implementation to use."""
    return best(ENCODINGS)
