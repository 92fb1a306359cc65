from collections.abc import Sequence
from pathlib import Path

import pytest

from actions.script import RunScript
from consumer.links.desired import DesiredLink
from consumer.links.link_files import check_link_files
from consumer.links.script_pins import KnownScript, KnownScripts, pin_scripts, runs_scripts
from runtime.authoring.diagnostic import Diagnostic, InvalidFiles, Severity
from runtime.authoring.source_files import SourceFile
from tests.links.builders import KINDS, an_action, wants, wants_field

MISSING = "is not published; publish it"


def known(emits: tuple[str, ...] = (), versions: tuple[int, ...] = (1, 4)) -> KnownScripts:
    return KnownScripts({("acme", "s"): KnownScript(frozenset(emits), versions)}, MISSING)


def pinned(link: DesiredLink, scripts: KnownScripts) -> list[int | None]:
    links, mistakes = pin_scripts([link], scripts)
    assert mistakes == []
    return [
        action.parameters.script_version
        for each in links
        for action in each.actions
        if isinstance(action.parameters, RunScript)
    ]


def sentences(link: DesiredLink, scripts: KnownScripts) -> list[str]:
    return [str(mistake) for mistake in pin_scripts([link], scripts)[1]]


def test_a_link_pins_the_newest_version() -> None:
    assert pinned(wants(an_action("script", "a", script="s"), wants_field("b")), known()) == [4]


def test_a_version_that_the_author_wrote_stays() -> None:
    assert pinned(wants(an_action("script", "a", script="s", script_version=1)), known()) == [1]


def test_a_script_that_is_only_in_a_file_pins_nothing() -> None:
    assert pinned(wants(an_action("script", "a", script="s")), known(versions=())) == [None]


def test_an_unknown_script_is_a_mistake_at_the_action() -> None:
    assert sentences(wants(an_action("script", "a", script="x")), known()) == [
        "links.yaml:7:1: link spring, action a: the script x is not published; publish it"
    ]


def test_the_script_of_another_tenant_is_unknown() -> None:
    scripts = KnownScripts({("beta", "s"): KnownScript(frozenset(), (1,))}, MISSING)

    assert len(sentences(wants(an_action("script", "a", script="s")), scripts)) == 1


def test_an_unknown_version_is_a_mistake() -> None:
    assert (
        "the script s has no version 2; its newest is 4, or leave script_version out"
        in (sentences(wants(an_action("script", "a", script="s", script_version=2)), known())[0])
    )


def test_what_the_script_may_change_too_is_warned_of() -> None:
    link = wants(wants_field("size"), an_action("script", "a", script="s"))

    _, (warning,) = pin_scripts([link], known(emits=("set_field",)))

    assert warning.severity is Severity.WARNING
    assert "its script may emit set_field, and the action size in line 7 changes the field 'size'" in str(warning)
    assert sentences(link, known(emits=("interest", "follow_up"))) == []


def test_kinds_that_add_something_new_do_not_conflict() -> None:
    request = an_action("request", "r", title="x", owner="auto")

    assert sentences(wants(request, an_action("script", "a", script="s")), known(emits=("request",))) == []


def test_only_links_with_scripts_need_them() -> None:
    assert runs_scripts([wants(wants_field("a")), wants(an_action("script", "a", script="s"))])
    assert not runs_scripts([wants(wants_field("a"))])


@pytest.mark.parametrize("folder_has_scripts", [True, False])
def test_script_files_are_handed_on_and_are_no_link_files(tmp_path: Path, *, folder_has_scripts: bool) -> None:
    (tmp_path / "links.yaml").write_text(
        "tenant: acme\nlinks:\n  - {id: a, name: A, response: {text: x}, actions: [{kind: script, script: s}]}\n"
    )
    if folder_has_scripts:
        (tmp_path / "scripts.yaml").write_text("tenant: acme\nscripts: []\n")
    seen: list[str] = []

    def find(files: Sequence[SourceFile], _links: Sequence[DesiredLink]) -> tuple[None, list[Diagnostic]]:
        seen.extend(Path(file.name).name for file in files)
        return None, []

    checked = check_link_files([tmp_path], KINDS, find_scripts=find)

    assert (seen, len(checked.links)) == (["scripts.yaml"] * folder_has_scripts, 1)
    with pytest.raises(InvalidFiles, match="the script s is not published"):
        check_link_files([tmp_path], KINDS, find_scripts=lambda *_: (KnownScripts({}, MISSING), []))
