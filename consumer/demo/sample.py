"""The sample that the demo sends: clicks and broken records."""

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.demo.broken import BrokenRecord, sample_broken_records
from consumer.demo.campaign import CAMPAIGN_MS, DAY_MS
from consumer.demo.clicks import sample_clicks
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


def make_sample(clicks: int, *, seed: int, now_ms: int, partitions: int) -> Sample:
    """Make the clicks of a campaign that ended yesterday; `now_ms` is in milliseconds since 1970 UTC."""
    codec = Codec(load_schemas()["LinkClicked"])
    # Rounded to the day, so that two runs on one day send the same clicks.
    starts_at_ms = now_ms // DAY_MS * DAY_MS - CAMPAIGN_MS - DAY_MS
    made = sample_clicks(clicks, seed=seed, starts_at_ms=starts_at_ms)
    broken = sample_broken_records(made, codec, seed=seed)
    return Sample(seed, clicks, broken, publications(made, broken, codec, partitions))
