"""The memory of an edge that has read many link definitions."""

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from bench.definitions import publish_links
from bench.edge.candidates import KEY, SUBJECT, Edge
from bench.edge.topic import PREFIX
from bench.measure import memory_mib
from runtime.config.settings import Settings
from schemas.link_token import sign
from schemas.token_payload import SentLink
from schemas.topics import TopicNames


def definition_rows(servers: str, folder: Path, links: int) -> Iterator[Sequence[str]]:
    """Publish many links and yield what an edge needs at its first start and at its second."""
    names = TopicNames(PREFIX, Settings(bootstrap_servers=servers).group_id, ())
    # An edge says that a link is unknown only once it has read all.
    unknown = f"/l/{sign(KEY, SentLink('unknown', 'r-1'))}"
    for count in (0, links):
        own = folder / f"definitions-{count}"
        own.mkdir()
        publish_links(servers, names, count)
        edge = Edge(SUBJECT, servers, own, unknown, status=HTTPStatus.NOT_FOUND)
        for start in ("first", "second"):
            begun = time.monotonic()
            edge.start()
            seconds, memory = time.monotonic() - begun, [memory_mib(edge.pid, each) for each in ("VmRSS", "RssAnon")]
            edge.stop()
            yield f"{count + 1_000:,}", start, f"{seconds:.1f}", *(f"{each:.0f}" for each in memory)
