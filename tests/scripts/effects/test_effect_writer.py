"""Effects as updates, beside what fastavro makes of the whole record."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.kind import ClickFacts, LinkFacts, Need
from schemas.codec import Codec, confluent_frame, single_object_frame
from schemas.record_schema import RecordSchema
from scripts.effects.effect import BadEffect, Effect, read_effects
from scripts.effects.effect_writer import EffectWriter
from scripts.effects.script_update import read_script_update
from tests.actions.builders import samples_of
from tests.scripts.effects.builders import CODEC, KEY, KINDS, SCHEMAS, Record, a_run_script, a_script_update

NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
FRAMES = {name: single_object_frame(schema) for name, schema in SCHEMAS.items()}
WRITER = EffectWriter(SCHEMAS, FRAMES, "")
EVERY = [{"kind": name, **sample} for name in KINDS if name != "script" for sample in samples_of(name)]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
optional = st.none() | texts
long = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.fixed_dictionaries(
    {
        "tenant_id": texts,
        "link_id": texts,
        "recipient_id": texts,
        "click_id": texts,
        "clicked_at": long,
        "person_id": optional,
        "company_id": optional,
        "mailing_id": optional,
        "flow_id": optional,
        "flow_run_id": optional,
        "link_version": long,
        "epoch": long,
        "action_id": texts,
        "link_url": optional,
        "link_hits": long,
    }
)


def expected_update(record: Record, effect: Effect) -> Record:
    link = LinkFacts(record["link_id"], "", record["link_url"])
    click = ClickFacts(record["mailing_id"], record["flow_id"], record["clicked_at"], record["link_hits"])
    return {
        **{field["name"]: record[field["name"]] for field in SCHEMAS["RunScript"].definition["fields"][:10]},
        "update_id": str(uuid5(NAMESPACE, f"{record['update_id']}\x1f{effect.effect_id}")),
        "link_version": record["link_version"],
        "epoch": record["epoch"],
        "action_id": f"{record['action_id']}.{effect.effect_id}",
        **effect.kind.fields(effect.parameters, link, click),
    }


def applies(record: Record, effect: Effect) -> bool:
    need = effect.kind.needs(effect.parameters)
    return not (
        (need is Need.PERSON and record["person_id"] is None) or (need is Need.COMPANY and record["company_id"] is None)
    )


@given(RECORDS, st.lists(st.sampled_from(EVERY), max_size=20), st.sampled_from([*CODEC.schema.earlier, CODEC.schema]))
def test_effects_are_the_bytes_that_fastavro_writes(
    changes: Record, emitted: list[Record], writer: RecordSchema
) -> None:
    names = {field["name"] for field in writer.definition["fields"]}
    record = a_run_script(**changes)
    value = Codec(writer).encode({name: each for name, each in record.items() if name in names})
    script = read_script_update(value, key=KEY, partition=0, codec=CODEC)
    effects = read_effects(emitted, KINDS, KINDS)

    written = WRITER.write(script, effects)

    applying = [effect for effect in effects if applies(record, effect)]
    assert written.not_applicable.total() == len(effects) - len(applying)
    assert len(written.updates) == len(applying)
    for (topic, update, key, headers), effect in zip(written.updates, applying, strict=True):
        whole = expected_update(record, effect)
        assert update == Codec(SCHEMAS[effect.kind.update]).encode(whole)
        assert (topic, key) == (f"crm-updates.{effect.kind.name.replace('_', '-')}.v1", KEY)
        assert dict(headers)["ce_id"] == whole["update_id"].encode()
        assert dict(headers)["ce_source"] == f"/link-actions/{record['tenant_id']}".encode()


def test_updates_have_the_frame_of_a_registry_and_the_prefix() -> None:
    frames = {name: confluent_frame(number) for number, name in enumerate(sorted(SCHEMAS))}
    effects = read_effects(EVERY[:1], KINDS, KINDS)

    [(plain_topic, plain, _, _)] = WRITER.write(a_script_update(company_id="c"), effects).updates
    [(topic, value, _, _)] = EffectWriter(SCHEMAS, frames, "t.").write(a_script_update(company_id="c"), effects).updates

    assert value == frames[effects[0].kind.update] + plain[10:]
    assert topic == f"t.{plain_topic}"


def test_an_effect_id_survives_that_others_come_and_go() -> None:
    named = {"id": "ticket", "kind": "request", "title": "x", "owner": "auto"}
    field = {"kind": "set_field", "field": "a", "value": "b"}

    def ids(*emitted: Record) -> list[bytes]:
        written = WRITER.write(a_script_update(), read_effects(emitted, KINDS, KINDS))
        return [dict(headers)["ce_id"] for _, _, _, headers in written.updates]

    assert ids(named, field)[0] == ids(field, named)[1]
    assert ids(field, named)[0] != ids(named, field)[1], "a position belongs to its place"


def test_an_effect_without_the_person_it_needs_is_counted() -> None:
    emitted = [{"kind": "set_field", "field": "a", "value": "b"}, EVERY[0]]

    written = WRITER.write(a_script_update(person_id=None), read_effects(emitted, KINDS, KINDS))

    assert written.updates == []
    assert written.not_applicable == {("set_field", Need.PERSON): 1, (EVERY[0]["kind"], Need.PERSON): 1}


def test_a_value_that_no_record_holds_is_a_bad_effect() -> None:
    kind = replace(KINDS["set_field"], fields=lambda *_: {"field": "a", "value": 2**70})
    effect = Effect("0", kind, kind.parameters.model_validate({"field": "a", "value": "b"}))

    with pytest.raises(BadEffect, match="does not fit its record"):
        WRITER.write(a_script_update(), [effect])


def _is_refused(emitted: Any, emits: Any = KINDS) -> bool:
    try:
        read_effects([emitted], KINDS, emits)
    except BadEffect:
        return True
    return False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(EVERY), st.dictionaries(st.sampled_from(["id", "kind", "value", "field", "title"]), JSON))
def test_whatever_is_emitted_is_an_update_or_a_bad_effect(effect: Record, changes: Record) -> None:
    try:
        effects = read_effects([effect | changes], KINDS, KINDS)
    except BadEffect:
        return
    WRITER.write(a_script_update(company_id="c"), effects)


@given(JSON)
def test_a_value_that_is_no_effect_is_refused(value: Any) -> None:
    assert _is_refused(value)
