"""Checked links of link files, with their locations; version, epoch and slots are assigned at publishing."""

from dataclasses import dataclass

from actions.guard import Guard
from actions.kind import ActionParameters, Kind
from actions.repeat import Repeat
from actions.response import Response
from consumer.links.link_reference import LinkReference
from runtime.authoring.diagnostic import SourceLocation


@dataclass(frozen=True, slots=True)
class DesiredAction:
    """One action, in the order of the file; its slot is assigned at publishing."""

    action_id: str
    repeat: Repeat
    kind: Kind
    parameters: ActionParameters
    location: SourceLocation
    guard: Guard = Guard.NONE


@dataclass(frozen=True, slots=True)
class DesiredLink:
    """One link of a file; its version and epoch are assigned at publishing."""

    reference: LinkReference
    name: str
    response: Response
    actions: tuple[DesiredAction, ...]
    location: SourceLocation
