"""The sample links, published as an author publishes them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from actions.registry import load_kinds
from consumer.authoring.author import Author
from consumer.authoring.definition_topic import open_definition_topic
from consumer.authoring.link_files import check_link_files
from consumer.authoring.wanted import WantedLink
from consumer.clock import SystemClock
from consumer.settings import Settings
from schemas.codec import Codec
from schemas.record_schema import load_schemas

LINK_FILE = Path(__file__).with_name("links.yaml")


def publish_links(settings: Settings) -> Sequence[WantedLink]:
    """Check the link file, publish what is in it, and return it. Raises Unavailable."""
    schemas, clock = load_schemas(), SystemClock()
    kinds = load_kinds(schemas)
    wanted = check_link_files([LINK_FILE], kinds)
    open_topic = partial(open_definition_topic, settings, clock)
    author = Author(open_topic, kinds=kinds, codec=Codec(schemas["LinkDefined"]), clock=clock, defined_by="demo")
    author.publish(wanted)
    return wanted
