import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.guard import Guard
from actions.repeat import Repeat, RepeatRule
from actions.response import Form, Redirect, Text
from consumer.links.link_files import check_link_files
from runtime.authoring.diagnostic import InvalidFiles, SourceLocation
from tests.links.builders import GOOD, KINDS, links_in, mistakes_in, with_action
from tests.schemas.pins import released_kinds

DEMO = Path(__file__).parents[2] / "consumer/demo/links.yaml"
RESPONSES = Path(__file__).parents[2] / "examples/responses.yaml"
FOLLOW_UP = "kind: follow_up, type: task, description: Call, created_by: anna"


def test_file_yields_its_links() -> None:
    (link,) = links_in(GOOD)

    assert str(link.reference) == "acme/spring"
    assert link.name == "Spring offer"
    assert link.response == Redirect("https://example.com/spring")
    assert [action.action_id for action in link.actions] == ["interested"]
    assert link.actions[0].parameters.model_dump() == {"operation": "add", "interest": "news", "scope": "person"}
    assert (link.location, link.actions[0].location) == (
        SourceLocation("links.yaml", 3, 5),
        SourceLocation("links.yaml", 7, 9),
    )


@pytest.mark.parametrize(
    ("written", "response"),
    [
        ("{text: '<p>Thanks</p>'}", Text("<p>Thanks</p>")),
        ("{form: {id: f, prefill: [email, phone]}}", Form("f", ("email", "phone"))),
        ("{form: {id: f}}", Form("f")),
    ],
)
def test_a_response_may_be_a_text_or_a_form(written: str, response: Text | Form) -> None:
    (link,) = links_in(GOOD.replace('{redirect: "https://example.com/spring"}', written))

    assert link.response == response


@pytest.mark.parametrize(
    ("written", "repeat"),
    [
        ("once", Repeat()),
        ("once_per_mailing", Repeat(RepeatRule.ONCE_PER_MAILING)),
        ("always", Repeat(RepeatRule.ALWAYS)),
        ("{cooldown: 24h}", Repeat(RepeatRule.COOLDOWN, 86_400_000)),
        ("{cooldown: P7D}", Repeat(RepeatRule.COOLDOWN, 604_800_000)),
    ],
)
def test_repeat_rules_are_read(written: str, repeat: Repeat) -> None:
    (link,) = links_in(with_action(f"{{kind: script, script: s, repeat: {written}}}"))

    assert link.actions[0].repeat == repeat


@pytest.mark.parametrize("guard", Guard)
def test_guard_is_read(guard: Guard) -> None:
    (link,) = links_in(with_action(f"{{kind: script, script: s, guard: {guard.value}}}"))

    assert link.actions[0].guard is guard


def test_guard_is_none_by_default() -> None:
    assert links_in(GOOD)[0].actions[0].guard is Guard.NONE


def test_action_without_id_is_named_after_its_kind() -> None:
    actions = [
        "{kind: script, script: a}",
        "{id: mine, kind: script, script: b}",
        "{kind: set_field, field: f, value: v}",
        "{kind: script, script: c}",
    ]
    (link,) = links_in(with_action("\n      - ".join(actions)))

    assert [action.action_id for action in link.actions] == ["script", "mine", "set_field", "script-2"]


def test_a_link_may_have_no_actions() -> None:
    (link,) = links_in(GOOD.partition("    actions")[0])

    assert link.actions == ()


def test_yes_and_no_are_words() -> None:
    (link,) = links_in(GOOD.replace("Spring offer", "No"))

    assert link.name == "No"


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("{kind: nterest}", "nterest is not a kind of action; did you mean interest?"),
        ("{kind: 7}", "7 is not a kind of action; known are add_to_field, follow_up, interest"),
        ("{operation: add}", "kind is missing; add one, for example kind: interest"),
        ("interest", "item 1 of actions must have keys with values"),
        ("{kind: interest, operation: add}", "interest is missing; add it"),
        ("{kind: interest, operation: at, interest: x}", "operation must be add or remove, not at"),
        ("{kind: interest, operation: unknown, interest: x}", "operation must be add or remove"),
        ("{kind: interest, operation: add, interest: x, scop: person}", "scop is not known here; did you mean scope?"),
        ("{kind: interest, operation: add, interest: ''}", "interest is empty; write something"),
        ("{kind: interest, operation: add, interest: }", "interest has no value; write one or remove the line"),
        ("{kind: interest, operation: add, interest: [x]}", "interest must be text"),
        ('{kind: interest, operation: add, interest: 4711}', 'put it in quotes: "4711"'),
        ("{kind: interest, operation: add, interest: true}", 'put it in quotes: "true"'),
        ("{kind: script, script: s, repeat: twice}", "write one of once, once_per_mailing, always or {cooldown: 24h}"),
        ("{kind: script, script: s, repeat: {cooldown: soon}}", "write one such as 30m, 24h or 7d"),
        ("{kind: script, script: s, repeat: {cooldown: 0h}}", "not a duration of at least a second"),
        ("{kind: script, script: s, repeat: {cooldown: 999999999999w}}", "not a duration of at least a second"),
        ("{kind: script, script: s, repeat: cooldown}", "write one of once, once_per_mailing, always or {cooldown"),
        ("{kind: script, script: s, guard: maybe}", "guard must be none or confirm, not maybe"),
        ("{kind: script, script: s, guard: {wait: 10s}}", "guard must be none or confirm, not another type"),
        ("{kind: script, script: s, gard: confirm}", "gard is not known here; did you mean guard?"),
        ("{kind: script, script: s, id: ' x'}", "id: it starts or ends with a blank; remove it"),
        ('{kind: script, script: s, id: "a\\tb"}', "id: it holds a line break, tab or other control character"),
        ("{kind: script, script: s, id: ''}", "id: it is empty; write something"),
        (f"{{kind: script, script: s, id: {'x' * 201}}}", "id: it has 201 characters; use at most 200"),
        (f"{{{FOLLOW_UP}}}", "default_recipient: no one would get the follow-up; name one, or set assign_to_our"),
        (f"{{{FOLLOW_UP}, default_recipient: b, duration_minutes: 0}}", "duration_minutes must be at least 1"),
        (f"{{{FOLLOW_UP}, default_recipient: b, duration_minutes: 9999999999}}", "duration_minutes must be at most"),
        (f"{{{FOLLOW_UP}, default_recipient: b, duration_minutes: '5'}}", "duration_minutes must be a whole number"),
        (f"{{{FOLLOW_UP}, default_recipient: b, as_invitation: 'yes'}}", "as_invitation must be true or false"),
        ("{kind: request, title: 'For {name}', owner: auto}", "title: {name} is no placeholder; known are"),
    ],
)  # fmt: skip
def test_invalid_action_is_reported_with_line_link_and_fix(action: str, sentence: str) -> None:
    (mistake,) = mistakes_in(with_action(action))

    assert re.match(r"1\.yaml:7:\d+: link spring, action ", mistake)
    assert sentence in mistake


@pytest.mark.parametrize(
    ("right", "wrong", "line", "sentence"),
    [
        ("tenant: acme", "tenant: a/b", 1, "'a/b' is not a tenant id; use 1 to 100 letters, digits"),
        ("tenant: acme", "tenant: 12", 1, 'put it in quotes: "12"'),
        ("tenant: acme\n", "", 1, "tenant is missing; add it"),
        ("tenant: acme", "tenants: acme", 1, "tenants is not known here; did you mean tenant?"),
        ("id: spring", "id: 'a b '", 3, "starts or ends with a blank"),
        ("name: Spring offer", "name: ''", 4, "name: it is empty"),
        ("https://example.com/spring", "www.example.com", 5, "write one such as https://example.com/offer"),
        ("https://example.com/spring", "javascript:alert(1)", 5, "it is not an absolute http or https address"),
        ("https://example.com/spring", "https://exa mple.com", 5, "has characters that a host name cannot have"),
        ("https://example.com/spring", "http://[", 5, "it is not an absolute http or https address"),
        (
            "{redirect:",
            "{text: x, redirect:",
            5,
            "exactly one of redirect, text and form, not redirect and text",
        ),
        ('{redirect: "https://example.com/spring"}', "{}", 5, "not none"),
        ('{redirect: "https://example.com/spring"}', "{form: {}}", 5, "id is missing"),
        ('{redirect: "https://example.com/spring"}', "{form: {id: f, prefil: []}}", 5, "did you mean prefill?"),
        ("{redirect:", "{redirct: x, redirect:", 5, "redirct is not known here; did you mean redirect?"),
        ("{redirect:", "{text: " + "x" * 200_001 + ", redirect:", 5, "text has 200001 characters; use at most 200000"),
        ("    actions:", "    action:", 6, "action is not known here; did you mean actions?"),
    ],
)
def test_invalid_line_is_reported_with_number_and_fix(right: str, wrong: str, line: int, sentence: str) -> None:
    mistakes = mistakes_in(GOOD.replace(right, wrong))

    assert any(re.match(rf"1\.yaml:{line}:\d+: ", mistake) and sentence in mistake for mistake in mistakes)


@pytest.mark.parametrize("content", ["3", "[]", "links", "tenant: acme\nlinks: 3", "tenant: acme\nlinks: [1, null]"])
def test_file_of_another_shape_is_a_mistake(content: str) -> None:
    assert mistakes_in(content)


def test_all_mistakes_of_all_files_are_reported_at_once() -> None:
    first = """\
        tenant: acme
        links:
          - id: one
            nam: One
            response: {redirect: x}
            actions:
              - {kind: interest, operation: ad, interest: 1, foo: 2}
              - {kind: set_field, field: size, value: L}
              - {kind: set_field, field: size, value: XL}
              - {kind: nope}
        links: []
        """
    mistakes = mistakes_in(first, "a: [", GOOD.replace("spring\n", "one\n"))

    assert sorted(tuple(re.split(r":\d+: |: | \(first in| node did", mistake)[:2]) for mistake in mistakes) == [
        ("1.yaml:10", "link one, action number 4 (nope)"),
        ("1.yaml:11", "links is repeated"),
        ("1.yaml:3", "link one"),
        ("1.yaml:4", "link one"),
        ("1.yaml:5", "link one"),
        ("1.yaml:7", "link one, action number 1 (interest)"),
        ("1.yaml:7", "link one, action number 1 (interest)"),
        ("1.yaml:7", "link one, action number 1 (interest)"),
        ("1.yaml:9", "link one, action set_field-2"),
        ("2.yaml:2", "this is not YAML; a value is missing here, or a bracket is not closed"),
        ("3.yaml:3", "link one"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "interest",
        "field",
        "target_id",
        "script",
        "project",
        "task_type",
        "created_by",
        "default_recipient",
        "owner",
        "category",
        "priority",
        "id",
        "form id",
        "prefill",
    ],
)
@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('"  "', "it is empty"),
        ('" x"', "it starts or ends with a blank"),
        ('"x\\n"', "it ends with a line break"),
        ('"x\\u200b"', "U+200B (zero width space)"),
        ("x" * 201, "it has 201 characters"),
    ],
)
def test_every_id_is_validated(name: str, written: str, sentence: str) -> None:
    (mistake,) = mistakes_in(file_with(name, written))

    assert f"{name.removeprefix('form ')}" in mistake
    assert sentence in mistake


def file_with(name: str, written: str) -> str:
    """A good file but for the value of this id."""
    if name in ("form id", "prefill"):
        form = f"{{id: {written}}}" if name == "form id" else f"{{id: f, prefill: [{written}]}}"
        return GOOD.replace('{redirect: "https://example.com/spring"}', f"{{form: {form}}}")
    kinds = {
        "script": {"id": "a", "script": "s"},
        "set_field": {"field": "f", "value": "v"},
        "interest": {"operation": "add", "interest": "i"},
        "membership": {"operation": "add", "target": "project", "target_id": "t"},
        "request": {"title": "t", "owner": "auto", "category": "c", "priority": "p"},
        "follow_up": {
            "type": "task",
            "description": "d",
            "created_by": "a",
            "default_recipient": "b",
            "project": "p",
            "task_type": "t",
        },
    }
    kind, values = next((kind, values) for kind, values in kinds.items() if name in values)
    return with_action(
        "{" + ", ".join(f"{key}: {value}" for key, value in {"kind": kind, **values, name: written}.items()) + "}"
    )


def test_lookalike_ids_are_mistakes() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    link = "  - {id: ID, name: n, response: {text: t}}\n".replace
    actions = "\n      - ".join(f"{{id: {each}, kind: script, script: {each}-1}}" for each in (composed, decomposed))

    (mistake,) = mistakes_in("tenant: acme\nlinks:\n" + link("ID", composed) + link("ID", decomposed))
    assert "it looks like the id of another link (first in 1.yaml:3)" in mistake
    assert "has other characters; give each action its own id" in mistakes_in(with_action(actions))[0]


def test_contradiction_is_found_in_any_unicode_normal_form() -> None:
    actions = [
        f"{{kind: set_field, field: {field}, value: {value}}}"
        for field, value in (("caf\u00e9", "a"), ("cafe\u0301", "b"))
    ]

    assert "it contradicts the action set_field in line 7" in mistakes_in(with_action("\n      - ".join(actions)))[0]


def test_syntax_error_hides_no_earlier_mistake() -> None:
    wrong = GOOD.replace("name: Spring offer", "name: 7") + "  - {id: autumn\n  - {id: winter}\n"
    mistakes = mistakes_in(wrong, GOOD)

    assert [mistake.split(": ")[0] for mistake in sorted(mistakes)] == ["1.yaml:4:5", "1.yaml:9:5", "2.yaml:3:5"]
    assert "this is not YAML" in sorted(mistakes)[1]


def test_example_of_the_docs_is_valid() -> None:
    page = (DEMO.parents[2] / "docs/link-files.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert {action.kind.name for link in links_in(example) for action in link.actions} >= released_kinds()


@pytest.mark.parametrize("path", ["examples/links", "examples/responses.yaml"])
def test_examples_are_valid(path: str) -> None:
    assert check_link_files([DEMO.parents[2] / path], KINDS, strict=True).links


def test_docs_name_every_parameter_of_every_kind() -> None:
    page = (DEMO.parents[2] / "docs/link-files.md").read_text()
    rows = {name: row for name, row in re.findall(r"^\| `(\w+)` (\|.*)$", page, re.MULTILINE) if name in KINDS}

    assert rows.keys() >= released_kinds()
    for name, row in rows.items():
        assert all(f"`{parameter}`" in row for parameter in KINDS[name].parameters.model_fields)


def test_duplicate_link_is_a_mistake_in_the_second_file() -> None:
    (mistake,) = mistakes_in(GOOD, GOOD)

    assert mistake == "2.yaml:3:5: link spring: it is defined twice (first in 1.yaml:3); keep one or give it another id"


def test_two_tenants_may_use_the_same_link_id() -> None:
    assert not mistakes_in(GOOD, GOOD.replace("acme", "beta"))


def test_too_many_actions_or_too_much_text_is_a_mistake() -> None:
    many = "\n      - ".join(f"{{kind: set_field, field: f{number}, value: v}}" for number in range(101))
    long = (
        GOOD.replace("spring", "other").replace("Spring offer", "Other") + "      - {kind: set_field, field: f, value: "
    )

    assert "it has 101 actions; spread them" in mistakes_in(with_action(many))[0]
    assert "its texts have 600," in mistakes_in(long + "x" * 600_000 + "}")[0]


def test_folders_are_searched_and_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/spring.yml").write_text(GOOD)
    (tmp_path / "autumn.yaml").write_text(GOOD.replace("id: spring", "id: autumn"))
    (tmp_path / "notes.txt").write_text("no YAML: [")

    links = check_link_files([tmp_path, tmp_path / "below/spring.yml"], KINDS).links

    assert [link.reference.link_id for link in links] == ["autumn", "spring"]


def test_every_link_file_of_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "spring.YAML").write_text(GOOD)
    (tmp_path / "autumn.Yml").write_text(GOOD.replace("id: spring", "id: autumn"))
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(InvalidFiles) as wrong:
        check_link_files([tmp_path], KINDS)
    (tmp_path / "gone.yaml").unlink()

    assert "gone.yaml:1:1: the file cannot be read (No such file" in str(wrong.value)
    assert len(check_link_files([tmp_path], KINDS).links) == 2


def test_missing_files_are_reported_with_other_mistakes(tmp_path: Path) -> None:
    (tmp_path / "links.yaml").write_text("tenant: acme")
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidFiles) as wrong:
        check_link_files([tmp_path / "links.yaml", tmp_path / "none.yaml", tmp_path / "empty"], KINDS)

    assert [mistake.sentence for mistake in wrong.value.mistakes] == [
        "no file in or below it ends in .yaml or .yml; name another folder",
        "links is missing; add it",
        "the file cannot be read (No such file or directory); check its name and permissions",
    ]
    assert str(wrong.value).startswith("3 mistakes in the link files; fix them and try again:\n  ")


def test_demo_links_cover_every_kind_and_repeat_rule() -> None:
    links = check_link_files([DEMO], KINDS, strict=True).links
    actions = [action for link in links for action in link.actions]

    assert {action.kind.name for action in actions} >= released_kinds()
    assert {action.repeat.rule for action in actions} == set(RepeatRule)
    assert any(not link.actions for link in links)


@settings(deadline=None)
@given(st.data())
def test_any_damaged_file_is_checked_without_raising(data: st.DataObject) -> None:
    content = data.draw(st.sampled_from([DEMO, RESPONSES])).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    damaged = content[:start] + data.draw(st.binary(max_size=6)) + content[end:]

    for mistake in mistakes_in(damaged):
        assert mistake.startswith("1.yaml:")


def test_symbolic_link_loop_is_a_mistake(tmp_path: Path) -> None:
    loop, gone = tmp_path / "loop.yaml", tmp_path / "gone.yaml"
    loop.symlink_to("loop.yaml")
    gone.symlink_to("nowhere")
    for paths in ([tmp_path], [loop, gone]):
        with pytest.raises(InvalidFiles) as raised:
            check_link_files(paths, KINDS)

        assert sorted(mistake.location.file for mistake in raised.value.mistakes) == [str(gone), str(loop)]


@pytest.mark.parametrize("path", ["x" * 100_000, "/dev/zero"])
def test_file_that_cannot_be_a_link_file_is_a_mistake(path: str) -> None:
    with pytest.raises(InvalidFiles, match="the file cannot be read"):
        check_link_files([Path(path)], KINDS)
