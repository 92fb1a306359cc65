"""What has been published of each link, as far as planning the next version needs it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from actions.kind import Kind
from actions.link import Link, UnreadableLink, link_from_record
from consumer.authoring.link_reference import LinkReference, parse_definition_key
from schemas.bad_record import BadRecord
from schemas.codec import Codec

PublishedRecord = tuple[bytes | None, bytes | None]
"""Key and value of a record on the topic of definitions."""


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot of the memory, which belongs to one action id and kind for as long as the link exists."""

    slot: int
    kind: str


@dataclass(slots=True)
class History:
    """All versions of one link, folded: the newest, and the slots that any of them gave.

    `unreadable` says why a version could not be read; nothing may be planned on such a history.
    """

    newest: Link
    slots: dict[str, TakenSlot] = field(default_factory=dict)


class Histories:
    """Folds published records into histories: of the links asked for, or of all.

    Feeding a record twice changes nothing. `unreadable` has a sentence for each link that has a version which this
    program cannot read; there is no saying what the next one would have to keep.
    """

    def __init__(self, codec: Codec, kinds: Mapping[str, Kind], only: Collection[LinkReference] | None = None) -> None:
        self._codec = codec
        self._kinds = kinds
        self._only = only
        self.links: dict[LinkReference, History] = {}
        self.unreadable: dict[LinkReference, str] = {}

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Take in records in the order of the topic; whatever is no definition is passed over."""
        for key, value in records:
            named = parse_definition_key(key)
            if named and value is not None and (self._only is None or named[0] in self._only):
                self._add(named[0], value)

    def _add(self, reference: LinkReference, value: bytes) -> None:
        try:
            link = link_from_record(self._codec.decode(value), self._kinds)
        except (BadRecord, UnreadableLink) as error:
            self.unreadable[reference] = f"a published version of it cannot be read ({error}); update this program"
            return
        history = self.links.setdefault(reference, History(link))
        if link.version >= history.newest.version:
            history.newest = link
        for action in link.actions:
            history.slots[action.action_id] = TakenSlot(action.slot, action.kind.name)
