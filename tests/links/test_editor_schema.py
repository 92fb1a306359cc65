from pathlib import Path
from typing import Any

import pytest

from consumer.links.editor_schema import editor_schema
from consumer.links.link_model import link_file_model
from runtime.authoring.yaml_document import read_document
from tests.links.builders import GOOD, KINDS, SCHEMAS, mistakes_in, with_action
from tests.links.json_schema import is_valid

SCHEMA = editor_schema(link_file_model(KINDS), KINDS, SCHEMAS)
DEMO = Path(__file__).parents[2] / "consumer/demo/links.yaml"


def accepts(content: str | bytes) -> bool:
    data: Any = read_document(content.encode() if isinstance(content, str) else content).data
    return is_valid(data, SCHEMA, SCHEMA)


RULES = '[{when: {language: nl}, to: "https://e.com/"}, {language: da, to: "https://e.com/"}, {else: "https://e.com/"}]'
FIELDS = (
    "[{name: mail, label: E-mail, type: email, autocomplete: email}, {name: s, label: S, type: choice, options: [S]}]"
)


def with_response(response: str) -> str:
    return GOOD.replace('{redirect: "https://example.com/spring"}', response)


def test_demo_links_are_valid() -> None:
    assert accepts(DEMO.read_bytes())
    assert accepts(GOOD)


@pytest.mark.parametrize(
    "content",
    [
        with_response(f"{{redirect: {RULES}}}"),
        with_response(f"{{form: {{id: f, fields: {FIELDS}}}}}"),
        with_action("{kind: script, script: s, guard: confirm}"),
    ],
)
def test_every_part_is_valid_in_the_editor(content: str) -> None:
    assert not mistakes_in(content)
    assert accepts(content)


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("tenant: acme\n", ""),
        GOOD.replace("tenant: acme", "tenant: a/b"),
        GOOD.replace("name:", "nam:"),
        GOOD.replace("https://example.com/spring", "example.com"),
        GOOD.replace("{redirect:", "{text: x, redirect:"),
        GOOD.replace('{redirect: "https://example.com/spring"}', "{}"),
        with_response(f"{{redirect: {RULES.replace('language: da', 'language: DA')}}}"),
        with_response(f"{{redirect: {RULES.replace('else', 'els')}}}"),
        with_response(f"{{redirect: {RULES.replace('{language: nl}', 'language')}}}"),
        with_response("{redirect: []}"),
        with_response("{redirect: {else: x}}"),
        with_response(f"{{form: {{id: f, fields: {FIELDS.replace('type: email', 'type: mail')}}}}}"),
        with_response(f"{{form: {{id: f, fields: {FIELDS.replace('te: email', 'te: mail')}}}}}"),
        with_response(f"{{form: {{id: f, fields: {FIELDS.replace('label: S', 'x: S')}}}}}"),
        with_response(f"{{form: {{id: f, fields: {FIELDS.replace('name: s', 'name: 1s')}}}}}"),
        with_action("{kind: script, script: s, guard: maybe}"),
        with_action("{kind: nope}"),
        with_action("{kind: interest, operation: ad, interest: x}"),
        with_action("{kind: interest, operation: add, interest: 4711}"),
        with_action("{kind: script, script: s, repeat: {cooldown: 24}}"),
        with_action("{kind: script, script: s, repeat: cooldown}"),
        with_action("{kind: script, script: s, operation: add}"),
        with_action("{kind: script, script: ''}"),
        with_action("{kind: script, script: ' s'}"),
        with_action(f"{{kind: script, script: {'s' * 201}}}"),
    ],
)
def test_editor_errors_are_mistakes_of_the_check(content: str) -> None:
    assert not accepts(content)
    assert mistakes_in(content)


def test_every_kind_and_parameter_is_described() -> None:
    for name, kind in KINDS.items():
        described = SCHEMA["$defs"][name]
        assert described["description"] == SCHEMAS[kind.update].definition["doc"]
        assert all(described["properties"][field]["description"] for field in kind.parameters.model_fields)


def test_default_repeat_rule_is_once() -> None:
    assert SCHEMA["$defs"]["script"]["properties"]["repeat"]["default"] == "once"


def test_schema_has_no_generated_titles() -> None:
    assert SCHEMA["title"] == "Link file"
    assert not [name for name, definition in SCHEMA["$defs"].items() if "title" in definition]
    for definition in (SCHEMA, *SCHEMA["$defs"].values()):
        assert not [name for name, value in definition.get("properties", {}).items() if "title" in value]
