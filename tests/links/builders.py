"""Link files, wanted links and published histories with sensible values."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from textwrap import dedent
from typing import Any

from actions.guard import Guard
from actions.kind import Kind
from actions.link import Link, record_from_link
from actions.registry import load_kinds
from actions.repeat import Repeat
from actions.response import Redirect, Response
from consumer.links.desired import DesiredAction, DesiredLink
from consumer.links.history import Histories
from consumer.links.link_files import read_sources
from consumer.links.link_reference import LinkReference
from consumer.links.versioning import Authorship, NextVersion
from runtime.authoring.diagnostic import Diagnostic, Severity, SourceLocation
from runtime.authoring.source_files import SourceFile
from schemas.codec import Codec
from schemas.definition_key import definition_key
from schemas.record_schema import load_schemas

SCHEMAS = load_schemas()
KINDS: Mapping[str, Kind] = load_kinds(SCHEMAS)
CODEC = Codec(SCHEMAS["LinkDefined"])
ANNA = Authorship("anna", 1_795_608_000_000)
SPRING = LinkReference("acme", "spring")

GOOD = """\
tenant: acme
links:
  - id: spring
    name: Spring offer
    response: {redirect: "https://example.com/spring"}
    actions:
      - {id: interested, kind: interest, operation: add, interest: news}
"""


def links_in(text: str) -> list[DesiredLink]:
    """The links of a file without mistakes."""
    links, mistakes = read_sources([SourceFile("links.yaml", dedent(text).encode())], KINDS)
    assert all(mistake.severity is Severity.NOTE for mistake in mistakes), mistakes
    return links


def mistakes_in(*texts: str | bytes) -> list[str]:
    """The mistakes of files called 1.yaml, 2.yaml and so on, as an author sees them."""
    return [str(mistake) for mistake in all_in(*texts) if mistake.severity is Severity.ERROR]


def warnings_in(*texts: str | bytes) -> list[str]:
    """The warnings of such files."""
    return [str(mistake) for mistake in all_in(*texts) if mistake.severity is Severity.WARNING]


def notes_in(*texts: str | bytes) -> list[str]:
    """The notes of such files."""
    return [str(mistake) for mistake in all_in(*texts) if mistake.severity is Severity.NOTE]


def all_in(*texts: str | bytes) -> list[Diagnostic]:
    contents = [text if isinstance(text, bytes) else dedent(text).encode() for text in texts]
    sources = [SourceFile(f"{number}.yaml", content) for number, content in enumerate(contents, 1)]
    return read_sources(sources, KINDS)[1]


def with_action(action: str) -> str:
    """A file with this one action, in line 7."""
    return GOOD.rpartition("      - ")[0] + f"      - {action}\n"


def wants(
    *actions: DesiredAction,
    reference: LinkReference = SPRING,
    name: str = "Spring offer",
    response: Response = Redirect("https://example.com/spring"),  # noqa: B008 - a frozen value
) -> DesiredLink:
    return DesiredLink(reference, name, response, actions, SourceLocation("links.yaml", 3))


def wants_field(
    action_id: str,
    value: str = "yes",
    repeat: Repeat = Repeat(),  # noqa: B008
    guard: Guard = Guard.NONE,
) -> DesiredAction:
    return replace(an_action("set_field", action_id, repeat=repeat, field=action_id, value=value), guard=guard)


def an_action(kind: str, action_id: str, *, repeat: Repeat = Repeat(), **parameters: Any) -> DesiredAction:  # noqa: B008
    found = KINDS[kind]
    return DesiredAction(action_id, repeat, found, found.parameters(**parameters), SourceLocation("links.yaml", 7))


def record_of(link: Link) -> tuple[bytes, bytes]:
    return definition_key(link.tenant_id, link.link_id, link.version), CODEC.encode(record_from_link(link))


def histories_of(*links: Link) -> Histories:
    histories = Histories(CODEC, KINDS)
    histories.add(map(record_of, links))
    return histories


def add_planned(histories: Histories, planned: Iterable[NextVersion]) -> None:
    """Publish a plan to the histories."""
    histories.add(record_of(each.link) for each in planned)
