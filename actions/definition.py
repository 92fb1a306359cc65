"""A record of the topic of definitions, as workers and authors read it."""

from collections.abc import Mapping

from actions.kind import Kind
from actions.link import Link, UnreadableLink, link_from_record
from schemas.bad_record import BadRecord, Reason
from schemas.codec import Codec
from schemas.definition_key import encode_link


class UnreadableDefinition(Exception):
    """A record that holds no link definition which this program can read.

    `newer` tells that a later version of the program may have written it; otherwise no version did.
    """

    def __init__(self, reason: str, *, newer: bool) -> None:
        super().__init__(reason)
        self.newer = newer


def read_definition(link_key: bytes, version: int, value: bytes, *, codec: Codec, kinds: Mapping[str, Kind]) -> Link:
    """Decode the record of this version; `link_key` is what `encode_link` makes. Raises UnreadableDefinition."""
    try:
        link = link_from_record(codec.decode(value), kinds)
    except BadRecord as error:
        raise UnreadableDefinition(str(error), newer=error.reason is Reason.UNKNOWN_SCHEMA) from error
    except UnreadableLink as error:
        raise UnreadableDefinition(str(error), newer=True) from error
    if (encode_link(link.tenant_id, link.link_id), link.version) != (link_key, version):
        raise UnreadableDefinition("its key names another link or version than its value", newer=False)
    return link
