"""Clicks as a busy day brings them, with all that is odd among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from consumer.verify.murmur import partition_of
from tests.builders import Record
from tests.support.records import click_key, encode_click
from tests.support.traffic import endless_clicks

ODD = 0.05
"""Share of the records that are not simply a click on a link with actions."""
RECIPIENTS = 3_000


@dataclass(frozen=True, slots=True)
class Publication:
    """A record as the edge hands it over; partition -1 leaves that to the partitioner."""

    value: bytes | None
    key: bytes
    partition: int = -1


def endless_publications(seed: int, *, partitions: int) -> Iterator[Publication]:
    """Yield records, the same ones for the same seed."""
    chance = Random(seed)
    for number, click in enumerate(endless_clicks(seed, recipients=RECIPIENTS)):
        plain = Publication(encode_click(click), click_key(click))
        yield plain
        if chance.random() < ODD:
            yield from _odd(chance, click, number, partitions)


def _odd(chance: Random, click: Record, number: int, partitions: int) -> Iterator[Publication]:
    """Yield a mix of bad records, test clicks, duplicates and others; few bad ones, or the worker would stop."""
    value, key = encode_click(click), click_key(click)
    match chance.randrange(7):
        case 0:
            yield Publication(chance.choice((None, b"\x00", value[:-7], value + b"\x00")), key)
        case 1:
            yield _usual(click | {"test": True})
        case 2:
            yield _usual(click | {"link_id": "nobodys", "link_version": None})
        case 3:
            yield _usual(click | {"recipient_id": f"plain-{number}", "person_id": None})
        case 4:
            # A unique key, so that late rerouting breaks no order.
            astray = click | {"recipient_id": f"astray-{number}"}
            wrong = (partition_of(click_key(astray), partitions) + 1) % partitions
            yield Publication(encode_click(astray), click_key(astray), wrong)
        case _:
            yield Publication(value, key)


def _usual(click: Record) -> Publication:
    return Publication(encode_click(click), click_key(click))
