"""Versions of scripts: immutable, numbered once, and safe from other authors."""

from dataclasses import replace

import pytest

from runtime.authoring.publishing import ATTEMPTS, DefinitionTopic
from runtime.errors import Unavailable, UsageError
from schemas.codec import Codec
from schemas.definition_key import MAX_VERSION, definition_key
from schemas.record_schema import load_schemas
from scripts.definitions.publication import Change
from scripts.definitions.published import PublishedScripts, UnreadableScript
from scripts.definitions.script import (
    Script,
    ScriptReference,
    parse_reference,
    record_from_script,
    script_from_record,
)
from scripts.definitions.script_publisher import ScriptPublisher
from tests.authoring.in_memory_topic import FrozenClock, MemoryDefinitionTopic, MemoryLog
from tests.scripts.definitions.builders import CODEC, a_script

SCORE = ScriptReference("acme", "score")


def record_of(script: Script) -> tuple[bytes, bytes]:
    key = definition_key(script.tenant_id, script.script_id, script.version)
    return key, CODEC.encode(record_from_script(script))


def publisher(topic: DefinitionTopic) -> ScriptPublisher:
    return ScriptPublisher(lambda: topic, codec=CODEC, clock=FrozenClock())


def publisher_on(log: MemoryLog) -> ScriptPublisher:
    return publisher(MemoryDefinitionTopic(log))


def published(log: MemoryLog) -> list[Script]:
    return [script_from_record(CODEC.decode(value or b"")) for _, value in log.records]


def test_a_script_reads_back_equal() -> None:
    assert script_from_record(CODEC.decode(CODEC.encode(record_from_script(a_script())))) == a_script()


def test_versions_are_numbered_from_1_and_kept() -> None:
    log = MemoryLog()

    changes = [
        publisher_on(log).publish([a_script(source=source, version=0, defined_at=at)])[0].change
        for at, source in enumerate(["a", "b", "b", "a"])
    ]

    assert changes == [Change.CREATED, Change.CHANGED, Change.UNCHANGED, Change.CHANGED]
    assert [(script.version, script.source) for script in published(log)] == [(1, "a"), (2, "b"), (3, "a")]
    assert [key for key, _ in log.records] == [b"acme/score/1", b"acme/score/2", b"acme/score/3"]


@pytest.mark.parametrize(
    "changes",
    [{"emits": ()}, {"hosts": ("x.example",)}, {"fuel": 1}, {"memory": 1}, {"engine": "js-2"}, {"examples": ()}],
)
def test_whatever_changes_makes_a_version(changes: dict[str, object]) -> None:
    log = MemoryLog([record_of(a_script())])

    (version,) = publisher_on(log).publish([replace(a_script(), **changes)])  # type: ignore[arg-type]

    assert (version.change, version.script.version) == (Change.CHANGED, 2)


def test_two_authors_get_two_versions() -> None:
    """The second one computes again, from what the first has published meanwhile."""
    log = MemoryLog()
    other = publisher_on(log)
    first = MemoryDefinitionTopic(log, [lambda: other.publish([a_script(source="other's")])])

    (version,) = publisher(first).publish([a_script(source="mine")])

    assert version.script.version == 2
    assert [(script.version, script.source) for script in published(log)] == [(1, "other's"), (2, "mine")]


def test_the_same_script_by_two_authors_is_published_once() -> None:
    log = MemoryLog()
    other = publisher_on(log)
    first = MemoryDefinitionTopic(log, [lambda: other.publish([a_script(defined_by="bo")])])

    (version,) = publisher(first).publish([a_script()])

    assert (version.change, version.script.defined_by) == (Change.UNCHANGED, "bo")
    assert len(log.records) == 1


def test_an_author_who_is_always_fenced_gives_up() -> None:
    log = MemoryLog()

    def fence() -> None:
        MemoryDefinitionTopic(log).fence_others()

    topic = MemoryDefinitionTopic(log, [fence] * ATTEMPTS)

    with pytest.raises(Unavailable, match="the scripts could not be published in 12 attempts"):
        publisher(topic).publish([a_script()])
    assert log.records == []


def test_a_withdrawn_version_is_never_numbered_again() -> None:
    log = MemoryLog([record_of(a_script()), (b"acme/score/2", None)])

    (version,) = publisher_on(log).publish([a_script(source="new")])

    assert version.script.version == 3
    assert publisher_on(log).read().numbers(SCORE) == [1, 3]


def test_a_version_of_a_later_program_stops_publishing() -> None:
    log = MemoryLog([(b"acme/score/1", b"\xc3\x01" + b"?" * 8)])

    with pytest.raises(UsageError, match=r"acme/score version 1 cannot be read .* update this program"):
        publisher_on(log).publish([a_script()])


def test_a_version_that_no_program_wrote_is_replaced() -> None:
    log = MemoryLog([(b"acme/score/1", record_of(a_script(script_id="other"))[1])])

    (version,) = publisher_on(log).publish([a_script()])

    assert version.script.version == 2


def test_the_last_version_has_no_successor() -> None:
    log = MemoryLog([record_of(a_script(version=MAX_VERSION))])

    with pytest.raises(UsageError, match="has the highest possible version"):
        publisher_on(log).publish([a_script(source="new")])


def test_versions_are_shown() -> None:
    log = MemoryLog([record_of(a_script()), record_of(a_script(version=2, source="new"))])

    assert publisher_on(log).version(SCORE).source == "new"
    assert publisher_on(log).version(SCORE, 1) == a_script()
    with pytest.raises(UsageError, match="acme/score has no version 3; its newest is 2"):
        publisher_on(log).version(SCORE, 3)
    with pytest.raises(UsageError, match="acme/else: no such script is published"):
        publisher_on(log).version(ScriptReference("acme", "else"))


def test_foreign_records_are_skipped() -> None:
    scripts = PublishedScripts(CODEC)
    scripts.add([(None, b"x"), (b"nothing", b"x"), record_of(a_script()), (b"acme/gone/1", None)])

    assert list(scripts) == [SCORE]
    assert scripts.newest(ScriptReference("acme", "gone")) is None


def test_a_version_under_another_key_is_unreadable() -> None:
    scripts = PublishedScripts(CODEC)
    scripts.add([(b"acme/score/2", record_of(a_script())[1])])

    newest = scripts.newest(SCORE)

    assert isinstance(newest, UnreadableScript)
    assert "publish the script again" in str(newest)


@pytest.mark.parametrize("text", ["", "acme", "acme/", "/score"])
def test_a_reference_has_tenant_and_script(text: str) -> None:
    with pytest.raises(UsageError, match="write tenant/script_id"):
        parse_reference(text)
    assert parse_reference("acme/a/b") == ScriptReference("acme", "a/b")


def test_definitions_of_scripts_can_be_read_by_any_reader_of_the_schema() -> None:
    assert Codec(load_schemas()["ScriptDefined"]).decode(record_of(a_script())[1])["examples"][0]["effects"] == [
        '{"kind":"x"}'
    ]
