"""The sample links, published like an author's."""

from collections.abc import Sequence
from pathlib import Path

from actions.registry import load_kinds
from consumer.links.connect import connect_publisher
from consumer.links.desired import DesiredLink
from consumer.links.history import Histories
from consumer.links.link_files import check_link_files
from consumer.links.publication import encode
from consumer.links.versioning import Authorship, next_versions
from runtime.clock import Clock, SystemClock
from runtime.config.settings import Settings
from schemas.codec import Codec
from schemas.record_schema import load_schemas

LINK_FILE = Path(__file__).with_name("links.yaml")
AUTHOR = "demo"


def read_links(file: Path = LINK_FILE) -> Sequence[DesiredLink]:
    """Check the link file and return its links."""
    return check_link_files([file], load_kinds(load_schemas())).links


def publish_links(links: Sequence[DesiredLink], settings: Settings) -> None:
    """Publish the links. Raises Unavailable."""
    connect_publisher(settings, defined_by=AUTHOR, clock=SystemClock()).publish(links)


def definition_records(links: Sequence[DesiredLink], clock: Clock) -> Sequence[tuple[bytes, bytes]]:
    """Return keys and values of the first version of each link, to publish without a broker."""
    schemas = load_schemas()
    codec = Codec(schemas["LinkDefined"])
    histories = Histories(codec, load_kinds(schemas), frozenset(link.reference for link in links))
    return encode(next_versions(links, histories, Authorship(AUTHOR, clock.now_ms())), codec)


def describe_links(links: Sequence[DesiredLink]) -> str:
    """Return a sentence with the numbers of links, actions and kinds."""
    actions = [action for link in links for action in link.actions]
    kinds = {action.kind.name for action in actions}
    return f"{len(links)} links published, with {len(actions)} actions of {len(kinds)} kinds"
