"""The sample that the demo sends: clicks and the broken records among them."""

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
    """Everything that is sent, in its order, and what of it is broken."""

    seed: int
    clicks: int
    broken: Sequence[BrokenRecord]
    publications: Sequence[Publication]


def make_sample(clicks: int, *, seed: int, now: int, partitions: int) -> Sample:
    """Make that many clicks of a campaign that ended yesterday; `now` in milliseconds since 1970 UTC."""
    codec = Codec(load_schemas()["LinkClicked"])
    # By the day, so that two runs of one day send the same.
    starts_at = now // DAY_MS * DAY_MS - CAMPAIGN_MS - DAY_MS
    made = sample_clicks(clicks, seed=seed, starts_at=starts_at)
    broken = sample_broken_records(made, codec, seed=seed)
    return Sample(seed, clicks, broken, publications(made, broken, codec, partitions))
