"""A link as the edge answers it, compiled from its definition once per version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from actions.definition import read_definition
from actions.guard import Guard
from actions.kind import Kind
from actions.link import Action, Link
from actions.response import Form, Redirect, RedirectCondition, RedirectRule, Text
from actions.rich_text import clean
from schemas.codec import Codec
from schemas.token_payload import SentLink

_PRINTABLE = bytes(range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class EdgeLink:
    """One version of a link.

    `location` is where its redirect leads, as bytes of a header; None for a text and a form. `text` is clean HTML.
    """

    link: Link
    location: bytes | None
    rules: tuple[tuple[RedirectRule, bytes], ...]
    text: str | None
    form: Form | None
    guarded_actions: tuple[Action, ...]
    runs_script: bool

    @property
    def has_actions(self) -> bool:
        """True if a click asks for something beside the answer."""
        return bool(self.link.actions)

    @property
    def may_be_overridden(self) -> bool:
        """True if a script of the link may set another address for a recipient's next clicks."""
        return self.runs_script and self.location is not None

    def location_for(self, sent: SentLink, prefers: Callable[[str], bool]) -> bytes | None:
        """Return the URL of the first rule that holds, else the link's own.

        `prefers` returns whether the browser prefers a language, given as a tag such as nl.
        """
        for rule, location in self.rules:
            if _holds(rule, sent, prefers):
                return location
        return self.location


def link_compiler(codec: Codec, kinds: Mapping[str, Kind]) -> Callable[[bytes, int, bytes], EdgeLink]:
    """Return the function that compiles definitions; it raises UnreadableDefinition."""

    def compile_link(link_key: bytes, version: int, value: bytes) -> EdgeLink:
        return edge_link(read_definition(link_key, version, value, codec=codec, kinds=kinds))

    return compile_link


def edge_link(link: Link) -> EdgeLink:
    """Compile one version."""
    response = link.response
    redirect = response if isinstance(response, Redirect) else None
    return EdgeLink(
        link=link,
        location=header_value(redirect.url) if redirect else None,
        rules=tuple((rule, header_value(rule.url)) for rule in redirect.rules) if redirect else (),
        # Cleaned again: it may have been published under older rules.
        text=clean(response.text) if isinstance(response, Text) else None,
        form=response if isinstance(response, Form) else None,
        guarded_actions=tuple(action for action in link.actions if action.guard is Guard.CONFIRM),
        runs_script=any(action.kind.name == "script" for action in link.actions),
    )


def header_value(url: str) -> bytes:
    """Return the bytes of a URL, which was made canonical when the link was checked: they are ASCII then.

    Older definitions may hold any character; those that a header cannot are percent-encoded, nothing else is touched.
    """
    return quote(url, safe=_PRINTABLE).encode()


def _holds(rule: RedirectRule, sent: SentLink, prefers: Callable[[str], bool]) -> bool:
    match rule.when:
        case RedirectCondition.PERSON_KNOWN:
            return sent.person_id is not None
        case RedirectCondition.COMPANY_KNOWN:
            return sent.company_id is not None
        case RedirectCondition.LANGUAGE:
            return prefers(rule.language or "")
