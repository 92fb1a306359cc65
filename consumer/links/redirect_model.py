"""Pydantic models of a redirect: a URL, or rules that end with one."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from actions.response import Redirect, RedirectCondition, RedirectRule
from consumer.links.field_types import Url
from runtime.authoring.entry import Entry

MAX_RULES = 20

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_PLAIN_CONDITIONS = ["person_known", "company_known"]
_EXAMPLE = "[{when: person_known, to: URL}, {language: nl, to: URL}, {else: URL}]"

Condition = tuple[RedirectCondition, str | None]
"""A condition, with the language tag of the condition `language`."""


def _check_language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"{text!r} is not a language tag; write one such as nl, de or pt-BR")
    return text


def _read_condition(value: Any) -> Condition:
    if isinstance(value, str) and value in _PLAIN_CONDITIONS:
        return RedirectCondition(value), None
    if isinstance(value, dict) and list(value) == ["language"] and isinstance(value["language"], str):
        return RedirectCondition.LANGUAGE, _check_language(value["language"])
    raise ValueError(f"it is not a condition; write one of {', '.join(_PLAIN_CONDITIONS)} or {{language: nl}}")


def _condition_schema() -> dict[str, Any]:
    language = {
        "type": "object",
        "properties": {"language": {"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"}},
        "required": ["language"],
        "additionalProperties": False,
    }
    return {"oneOf": [{"enum": _PLAIN_CONDITIONS}, language]}


Language = Annotated[
    str, AfterValidator(_check_language), WithJsonSchema({"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"})
]


class RuleEntry(Entry):
    """One line of a conditional redirect: a condition and where it leads, or `else`."""

    when: Annotated[Condition | None, PlainValidator(_read_condition), WithJsonSchema(_condition_schema())] = None
    language: Annotated[Language | None, Field(description="Short for when: {language: …}.")] = None
    to: Url | None = None
    otherwise: Annotated[Url | None, Field(alias="else", description="The address if no rule applies; last.")] = None

    @model_validator(mode="after")
    def _is_complete(self) -> "RuleEntry":
        if self.otherwise is not None:
            if self.when or self.language or self.to:
                raise ValueError("else has no condition; give it a line of its own, the last one")
        elif (self.when is None) == (self.language is None) or self.to is None:
            raise ValueError("a rule needs one condition and to; write {when: person_known, to: URL} or {else: URL}")
        return self

    @property
    def condition(self) -> Condition:
        """The condition of a rule; `else` has none."""
        return self.when or (RedirectCondition.LANGUAGE, self.language)


def _covers(first: RuleEntry, second: RuleEntry) -> bool:
    """Return whether the first rule applies wherever the second does: a language has its regional forms too."""
    (when, language), (other_when, other_language) = first.condition, second.condition
    if when is not other_when or not language or not other_language:
        return when is other_when
    return f"{other_language}-".lower().startswith(f"{language}-".lower())


def _check_rules(rules: list[RuleEntry]) -> list[RuleEntry]:
    places = [number for number, rule in enumerate(rules, 1) if rule.otherwise is not None]
    if places != [len(rules)]:
        found = f"else is number {' and '.join(map(str, places))} of {len(rules)}" if places else "there is none"
        raise ValueError(f"exactly one else must be last, but {found}; write {_EXAMPLE}")
    if len(rules) == 1:
        raise ValueError("it has nothing but else; write the address alone, or rules before it")
    for number, rule in enumerate(rules[:-1], 1):
        hiding = next((first for first in range(1, number) if _covers(rules[first - 1], rule)), None)
        if hiding:
            raise ValueError(f"rule {number} never applies, because rule {hiding} does first; remove it or move it up")
    return rules


Rules = Annotated[list[RuleEntry], Field(min_length=1, max_length=MAX_RULES), AfterValidator(_check_rules)]


def _redirect_form(value: Any) -> str:
    return "rules" if isinstance(value, list) else "redirect"


def _require_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"it is neither an address in quotes nor a list of rules; write https://… or {_EXAMPLE}")  # noqa: TRY004 - what pydantic explains
    return value


RedirectTo = Annotated[
    Annotated[Url, BeforeValidator(_require_text), Tag("redirect")] | Annotated[Rules, Tag("rules")],
    Discriminator(_redirect_form),
]
"""A URL, or rules; pydantic's locations have the tag after the key `redirect`."""


def to_redirect(written: str | Sequence[RuleEntry]) -> Redirect:
    """Return the redirect of a URL or of checked rules."""
    if isinstance(written, str):
        return Redirect(written)
    rules = [RedirectRule(rule.condition[0], rule.to or "", rule.condition[1]) for rule in written[:-1]]
    return Redirect(written[-1].otherwise or "", tuple(rules))
