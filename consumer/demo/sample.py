"""The sample that the demo sends: clicks and broken records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from consumer.demo.broken import BrokenRecord, sample_broken_records
from consumer.demo.campaign import CAMPAIGN_MS, DAY_MS
from consumer.demo.clicks import UNDEFINED_LINK, SampleClick, sample_clicks
from consumer.demo.publication import Publication, publications
from schemas.codec import Codec
from schemas.record_schema import load_schemas


@dataclass(frozen=True, slots=True)
class Sample:
    """The records to send in order, and the broken ones among them."""

    seed: int
    clicks: int
    broken: Sequence[BrokenRecord]
    publications: Sequence[Publication]
    browsed: Sequence[Mapping[str, Any]] = ()
    """The clicks, each a LinkClicked, that people make in a browser instead."""


def make_sample(clicks: int, *, seed: int, now_ms: int, partitions: int, browsed: int = 0) -> Sample:
    """Make the clicks of a campaign that ended yesterday; `now_ms` is in milliseconds since 1970 UTC.

    The first `browsed` that a browser can make are for an edge.
    """
    codec = Codec(load_schemas()["LinkClicked"])
    # Rounded to the day, so that two runs on one day send the same clicks.
    starts_at_ms = now_ms // DAY_MS * DAY_MS - CAMPAIGN_MS - DAY_MS
    made = sample_clicks(clicks, seed=seed, starts_at_ms=starts_at_ms)
    broken = sample_broken_records(made, codec, seed=seed)
    for_edge = list(islice((number for number, click in enumerate(made) if _is_for_browser(click)), browsed))
    sent = [click for number, click in enumerate(made) if number not in set(for_edge)]
    return Sample(
        seed,
        clicks,
        broken,
        publications(sent, broken, codec, partitions),
        [made[number].record for number in for_edge],
    )


def _is_for_browser(click: SampleClick) -> bool:
    """Return whether an edge would make this click; the others show what else may be in the topic."""
    is_odd = click.is_retry or click.is_misrouted or click.record["test"]
    return not is_odd and click.record["link_id"] != UNDEFINED_LINK
