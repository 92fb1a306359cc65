"""Script updates become effects, run records and dead letters, each exactly once."""

from collections import Counter

from runtime.fake_kafka.record import FakeRecord
from schemas.identity import partition_of
from scripts.worker.breaker import MIN_FAILURES
from scripts.worker.output import RETURN_URL_MS
from scripts.worker.runner import CHUNK_RUNS
from tests.builders import NOON
from tests.scripts.worker.environment import (
    GREET,
    NAMES,
    PARTITIONS,
    UPDATES,
    ScriptEnvironment,
    an_update,
    effect_id,
)


def headers(record: FakeRecord) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in record.headers() or ()}


class TestEffects:
    def test_effect_is_an_ordinary_update(self, environment: ScriptEnvironment) -> None:
        environment.define()
        environment.ask(an_update(7))
        environment.drain()
        (effect,), (record,) = (
            environment.decoded(NAMES.update("set_field"), "SetField"),
            environment.records(NAMES.update("set_field")),
        )
        asked = an_update(7)
        first = [*asked][:10]
        assert {name: effect[name] for name in first} == {name: asked[name] for name in first}
        assert effect["update_id"] == headers(record)["ce_id"] == effect_id(asked)
        assert (effect["action_id"], effect["link_version"], effect["epoch"]) == ("score.0", 1, 0)
        assert (effect["field"], effect["value"]) == ("last_link", "spring")
        assert record.key() == b"acme/r-7"
        assert record.partition() == partition_of(b"acme/r-7", PARTITIONS)

    def test_run_record_says_what_the_run_depended_on(self, environment: ScriptEnvironment) -> None:
        environment.define(
            f"console.log('hi'); {GREET} emit({{id: 'b', kind: 'add_to_field', field: 'x', amount: '1'}});"
        )
        environment.ask(an_update(1, link_hits=4))
        environment.drain()
        (run,) = environment.decoded(NAMES.script_runs, "ScriptRun")
        assert (run["script"], run["script_version"], run["engine"], run["failure"]) == ("greet", 1, "js-1", None)
        assert (run["link_hits"], run["log"], run["not_applicable"]) == (4, "hi\n", 0)
        assert run["effects"] == [effect_id(an_update(1)), effect_id(an_update(1), "b")]
        assert run["fuel"] > 0

    def test_effect_without_its_person_is_counted(self, environment: ScriptEnvironment) -> None:
        environment.define()
        environment.ask(an_update(1, person_id=None))
        environment.drain()
        assert environment.effects() == []
        assert environment.decoded(NAMES.script_runs, "ScriptRun")[0]["not_applicable"] == 1

    def test_pinned_version_runs_though_a_newer_one_is_published(self, environment: ScriptEnvironment) -> None:
        environment.define()
        environment.define(GREET.replace("linkId", "'new'"), version=2)
        environment.ask(an_update(1), an_update(2, script_version=2), an_update(3, script_version=None))
        environment.drain()
        assert [value for _, _, value in environment.effects()] == ["spring", "new", "new"]

    def test_link_hits_are_those_of_all_partitions(self, environment: ScriptEnvironment) -> None:
        environment.define("emit({kind: 'set_field', field: 'hits', value: String(linkHits)});")
        own = partition_of(b"acme/r-1", PARTITIONS)
        for partition in range(PARTITIONS):
            environment.count_hits(partition, 10)
        environment.ask(an_update(1, link_hits=7), an_update(1, link_hits=8, epoch=1))
        environment.drain()
        assert own in range(PARTITIONS)
        assert [value for _, _, value in environment.effects()] == ["27", "8"]

    def test_return_url_is_set_for_the_recipients_next_clicks(self, environment: ScriptEnvironment) -> None:
        environment.define("returnUrl = linkUrl + '?seen=1';")
        environment.ask(an_update(1))
        environment.drain()
        (url,), (record,) = (
            environment.decoded(NAMES.return_urls, "ReturnUrlSet"),
            environment.records(NAMES.return_urls),
        )
        assert record.key() == b"acme/spring/r-1"
        assert url["url"] == "https://www.example.com/spring?seen=1"
        assert (url["clicked_at"], url["expires_at"]) == (NOON, NOON + RETURN_URL_MS)


class TestFailures:
    def test_failure_is_a_dead_letter_with_its_place(self, environment: ScriptEnvironment) -> None:
        environment.define("\n  throw new Error(`sorry, ${custId}`);")
        environment.ask(an_update(1))
        environment.drain()
        (letter,) = environment.records(NAMES.script_dead_letters)
        said = headers(letter)
        assert (said["dlq.reason"], said["dlq.script"], said["dlq.script_version"]) == ("thrown", "greet", "1")
        assert (said["dlq.line"], said["dlq.column"], said["dlq.topic"]) == ("2", "13", UPDATES)
        assert letter.value() == environment.records(UPDATES)[0].value()
        assert "p-1" not in str(said)
        (run,) = environment.decoded(NAMES.script_runs, "ScriptRun")
        assert (run["failure"], run["message"], run["effects"]) == ("thrown", "Error: sorry, p-1", [])

    def test_one_bad_effect_fails_the_whole_run(self, environment: ScriptEnvironment) -> None:
        environment.define(f"{GREET} emit({{kind: 'interest', operation: 'maybe'}});")
        environment.ask(an_update(1))
        environment.drain()
        assert (environment.effects(), environment.reasons()) == ([], ["bad_effect"])

    def test_what_the_script_may_not_do_fails(self, environment: ScriptEnvironment) -> None:
        environment.define(GREET, script="a", emits=["interest"])
        environment.define("returnUrl = 'https://elsewhere.example/';", script="b")
        environment.define("for (;;);", script="c")
        environment.ask(*(an_update(number, script=name) for number, name in enumerate("abcd")))
        environment.clock.sleep(10)
        environment.drain()
        assert environment.reasons() == ["bad_return_url", "kind_not_declared", "out_of_fuel", "unknown_script"]
        assert environment.effects() == []

    def test_version_that_comes_late_is_awaited(self, environment: ScriptEnvironment) -> None:
        environment.ask(an_update(1))
        environment.define()
        environment.drain()
        assert environment.effects() == [("r-1", "last_link", "spring")]

    def test_unreadable_update_is_a_dead_letter(self, environment: ScriptEnvironment) -> None:
        environment.define()
        environment.put(None)
        environment.put(b"\xc3\x01nonsense")
        environment.ask(an_update(1))
        environment.drain()
        assert environment.reasons() == ["empty_value", "unknown_schema"]
        assert environment.effects() == [("r-1", "last_link", "spring")]

    def test_script_that_keeps_failing_is_disabled(self, environment: ScriptEnvironment) -> None:
        environment.define("throw 1;", script="broken")
        environment.define()
        environment.ask(*(an_update(number, script="broken") for number in range(60)), an_update(99))
        begun = environment.clock.monotonic()
        environment.drain()
        assert environment.clock.monotonic() - begun < 5, "others waited for it"
        reasons = Counter(environment.reasons())
        assert reasons.total() == 60
        assert reasons.keys() == {"thrown", "script_disabled"}
        assert reasons["thrown"] in range(MIN_FAILURES, MIN_FAILURES + CHUNK_RUNS)
        assert environment.effects() == [("r-99", "last_link", "spring")]
