"""The candidates, one per file."""

from bench.candidate import Candidate
from bench.candidates.floor import Floor
from bench.candidates.kafka_streams import KafkaStreams
from bench.candidates.link_actions import LinkActions
from bench.candidates.pass_through import READER, PassThrough
from bench.candidates.quix_streams import QuixStreams
from bench.candidates.redis_loop import RedisLoop

CANDIDATES: tuple[Candidate, ...] = (
    LinkActions(),
    KafkaStreams(),
    QuixStreams(),
    RedisLoop(),
    PassThrough(),
    READER,
    Floor(),
)
SHORT = ("link-actions", "pass-through")
