"""The published history of each link, as needed to compute its next version."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from actions.kind import Kind
from actions.link import Link
from consumer.links.link_reference import LinkReference
from consumer.links.published import PublishedVersions, Versions, newest_of, read_version
from runtime.authoring.publishing import PublishedRecord
from schemas.codec import Codec


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot in the dedupe state: it belongs to one action id and kind for the whole life of the link."""

    slot: int
    kind: str


@dataclass(slots=True)
class History:
    """The newest readable version of one link, and the slots of all its versions.

    `highest` is the highest version number of any record, readable or not: the next version comes after it.
    A click without a version uses the version in force, the newest that is not withdrawn. `in_force` is false if that
    one cannot be read: it is then newer than `newest`, and such a click finds none.
    """

    newest: Link
    highest: int
    in_force: bool = True
    slots: dict[str, TakenSlot] = field(default_factory=dict)


class Histories:
    """Builds histories from published records, of the given links or of all.

    Adding a record twice changes nothing. `unreadable` has a message for each link with a version that only a later
    program can read: its next version cannot be computed, because slots may be lost. A version that no program wrote
    is skipped.
    """

    def __init__(self, codec: Codec, kinds: Mapping[str, Kind], only: Collection[LinkReference] | None = None) -> None:
        self._codec = codec
        self._kinds = kinds
        self._published = PublishedVersions(only)
        self.links: dict[LinkReference, History] = {}
        self.unreadable: dict[LinkReference, str] = {}

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Add records in the order of the topic; records that are not definitions are skipped."""
        for reference in self._published.add(records):
            self.links.pop(reference, None)
            self.unreadable.pop(reference, None)
            self._fold(reference, self._published.links[reference])

    def highest(self, reference: LinkReference) -> int:
        """Return the highest version number of any record of the link, 0 if there is none."""
        return max(self._published.links.get(reference, ()), default=0)

    def alike(self, reference: LinkReference) -> list[LinkReference]:
        """Return the other published links whose ids look the same."""
        return sorted(self._published.alike.get(reference, ()))

    def _fold(self, reference: LinkReference, versions: Versions) -> None:
        history: History | None = None
        in_force = newest_of(versions)
        for version, value in sorted(versions.items()):
            if value is None:
                continue
            link = read_version(reference, version, value, codec=self._codec, kinds=self._kinds)
            if not isinstance(link, Link):
                if link.newer:
                    sentence = f"its published version {version} cannot be read ({link.reason}); {link.remedy}"
                    self.unreadable[reference] = sentence
                continue
            history = history or History(link, max(versions))
            history.newest = link
            history.in_force = in_force is not None and in_force[0] == version
            for action in link.actions:
                history.slots[action.action_id] = TakenSlot(action.slot, action.kind.name)
        if history:
            self.links[reference] = history
