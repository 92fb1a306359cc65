"""What is published stays: each schema is pinned, and gets on with all its earlier versions in both directions."""

import json
from collections.abc import Callable
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from schemas.link_parameters import is_update, parameters_record
from schemas.record_schema import FOLDER, Json, load_schemas
from tests.schemas.compatibility import incompatibilities
from tests.schemas.pins import PINS, pin, schema_files, with_new

FILES = schema_files()
NEWEST = sorted(path.stem for path in FOLDER.glob("*.avsc"))


def versions(stem: str) -> list[Json]:
    """Every published version of a record, the newest last."""
    earlier = sorted(FOLDER.glob(f"earlier/{stem}/*.avsc"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text()) for path in (*earlier, FOLDER / f"{stem}.avsc")]


def check_pin(name: str, text: str) -> None:
    if name not in PINS:
        pytest.skip(f"{name} is not released yet; `make pins` pins it when it is")
    if pin(text)["fingerprint"] != PINS[name]["fingerprint"]:
        pytest.fail(
            f"{name} is not the schema that was published, whose records must stay readable: put the published one"
            f" into schemas/earlier/{Path(name).stem}/, and pin both in tests/schemas/pins.json"
        )
    if pin(text) != PINS[name]:
        pytest.fail(f"{name} says something else than what was published; pin it anew if that is meant")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_published_schema_is_never_changed(path: Path) -> None:
    check_pin(str(path.relative_to(FOLDER)), path.read_text())


def test_a_published_schema_is_never_removed() -> None:
    assert set(PINS) <= {str(path.relative_to(FOLDER)) for path in FILES}


def test_the_fingerprint_that_is_pinned_is_one_on_the_wire() -> None:
    loaded = load_schemas()
    for name in PINS:
        record = json.loads((FOLDER / name).read_text())["name"]
        known = {schema.fingerprint.hex() for schema in (loaded[record], *loaded[record].earlier)}
        assert PINS[name]["fingerprint"] in known


def test_a_new_schema_is_pinned_and_no_pin_is_changed() -> None:
    [first, second, *_] = FILES
    kept = {first.name: {"fingerprint": "as it was", "sha256": "as it was"}}

    assert with_new(kept, [first, second]) == kept | {second.name: pin(second.read_text())}


def test_a_changed_schema_is_told_with_what_to_do() -> None:
    text = (FOLDER / "link_hits.avsc").read_text()

    with pytest.raises(pytest.fail.Exception, match=r"put the published one into schemas/earlier/link_hits/"):
        check_pin("link_hits.avsc", text.replace('"clicks"', '"hits"'))
    with pytest.raises(pytest.fail.Exception, match="says something else"):
        check_pin("link_hits.avsc", text.replace("Clicks in this epoch", "Hits in this epoch"))
    with pytest.raises(pytest.skip.Exception, match=r"nothing\.avsc is not released yet; `make pins`"):
        check_pin("nothing.avsc", text)


@pytest.mark.parametrize("stem", NEWEST)
def test_all_versions_get_on_with_each_other_in_both_directions(stem: str) -> None:
    for older, newer in combinations(versions(stem), 2):
        assert incompatibilities(older, newer) == []


@pytest.mark.parametrize("stem", NEWEST)
def test_a_version_gets_on_with_itself(stem: str) -> None:
    assert incompatibilities(versions(stem)[-1], versions(stem)[-1]) == []


Change = Callable[[Json], None]


def _add_field(**field: Any) -> Change:
    return lambda schema: schema["fields"].append({"name": "later", **field})


def _set_type(name: str, avro_type: Any, **field: Any) -> Change:
    return lambda schema: _field(schema, name).update(type=avro_type, **field)


def _rename(name: str, new: str) -> Change:
    return lambda schema: _field(schema, name).update(name=new)


def _remove(name: str) -> Change:
    return lambda schema: schema["fields"].remove(_field(schema, name))


def _symbols(name: str, *symbols: str) -> Change:
    return lambda schema: _field(schema, name)["type"].update(symbols=list(symbols))


def _without_default_symbol(name: str, *symbols: str) -> Change:
    def change(schema: Json) -> None:
        _symbols(name, *symbols)(schema)
        del _field(schema, name)["type"]["default"]

    return change


def _remove_kind(schema: Json) -> None:
    _field(_field(schema, "actions")["type"]["items"], "parameters")["type"].pop()


def _add_branch(*path: str) -> Change:
    def change(schema: Json) -> None:
        part = schema
        for name in path:
            part = _field(part.get("items", part), name)["type"]
        part.append({"type": "record", "name": "Later", "doc": "x", "fields": [{"name": "x", "type": "string"}]})  # type: ignore[attr-defined]

    return change


def _field(schema: Json, name: str) -> Json:
    found: Json = next(field for field in schema["fields"] if field["name"] == name)
    return found


def changed(stem: str, change: Change) -> Json:
    schema = deepcopy(versions(stem)[-1])
    change(schema)
    return schema


@pytest.mark.parametrize(
    ("stem", "change", "told"),
    [
        pytest.param("link_clicked", _add_field(type="string"), "the newer cannot read", id="a field without default"),
        pytest.param("link_clicked", _remove("url"), "url is gone", id="an optional field removed"),
        pytest.param("link_clicked", _remove("tenant_id"), "the older cannot read", id="a needed field removed"),
        pytest.param("link_clicked", _rename("url", "address"), "url is gone", id="a field renamed"),
        pytest.param("link_clicked", _set_type("link_count", ["null", "string"]), "cannot read", id="another type"),
        pytest.param("link_hits", _set_type("partition", "long"), "the older cannot read", id="a wider number"),
        pytest.param("link_hits", _set_type("clicks", "int"), "the newer cannot read", id="a narrower number"),
        pytest.param("link_hits", _set_type("clicks", ["null", "long"]), "the older cannot read", id="null allowed"),
        pytest.param(
            "link_clicked", _set_type("url", "string", default=""), "the newer cannot read", id="null forbidden"
        ),
        pytest.param("link_defined", _symbols("status", "active", "unknown"), "'deleted' is gone", id="symbol removed"),
        pytest.param(
            "link_defined",
            _without_default_symbol("status", "active", "deleted"),
            "the newer cannot read",
            id="default symbol removed",
        ),
        pytest.param("link_defined", _add_branch("response"), "the older cannot read", id="a response added"),
        pytest.param("link_defined", _remove_kind, "the newer cannot read", id="a kind of action removed"),
    ],
)
def test_a_change_that_would_part_versions_is_found(stem: str, change: Change, told: str) -> None:
    found = incompatibilities(versions(stem)[-1], changed(stem, change))

    assert any(told in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        pytest.param("link_clicked", _add_field(type=["null", "string"], default=None), id="an optional field"),
        pytest.param("link_clicked", _add_field(type="long", default=0), id="a field with a default"),
        pytest.param(
            "link_defined", _symbols("status", "active", "deleted", "unknown", "paused"), id="a symbol, with a default"
        ),
        pytest.param("link_defined", _add_branch("actions", "parameters"), id="a kind of action"),
    ],
)
def test_a_change_that_the_rules_allow_is_let_through(stem: str, change: Change) -> None:
    assert incompatibilities(versions(stem)[-1], changed(stem, change)) == []


def test_the_trial_is_transitive_over_all_earlier_versions() -> None:
    first, third = versions("link_clicked")[-1], changed("link_clicked", _add_field(type="int", default=0))
    second = changed("link_clicked", _add_field(type="string", default=""))

    assert incompatibilities(first, second) == []
    assert incompatibilities(first, third) == []
    assert incompatibilities(second, third) != []


@pytest.mark.parametrize("stem", NEWEST)
def test_every_record_enum_and_field_is_explained(stem: str) -> None:
    assert _unexplained(versions(stem)[-1]) == []


def test_a_field_that_is_not_explained_is_found() -> None:
    assert _unexplained(changed("link_clicked", _add_field(type="int", default=0))) == ["LinkClicked.later"]


@pytest.mark.parametrize("stem", [stem for stem in NEWEST if stem != "link_clicked"])
def test_an_enum_has_a_default_for_symbols_that_are_still_to_come(stem: str) -> None:
    assert all(enum.get("default") in enum["symbols"] for enum in _enums(versions(stem)[-1]))


@pytest.mark.parametrize("stem", [stem for stem in NEWEST if is_update(versions(stem)[-1])])
def test_an_update_starts_with_the_fields_of_the_click(stem: str) -> None:
    click, update = versions("link_clicked")[-1], versions(stem)[-1]

    shared = [(field["name"], field["type"], field.get("default", "none")) for field in click["fields"][:10]]
    assert [(f["name"], f["type"], f.get("default", "none")) for f in update["fields"][:10]] == shared
    assert [field["name"] for field in update["fields"][10:14]] == ["update_id", "link_version", "epoch", "action_id"]


@pytest.mark.parametrize("stem", [stem for stem in NEWEST if is_update(versions(stem)[-1])])
def test_a_link_definition_holds_the_parameters_that_the_update_asks_for(stem: str) -> None:
    definition = load_schemas()["LinkDefined"].definition
    actions = _field(definition, "actions")["type"]["items"]
    branches = _field(actions, "parameters")["type"]
    derived = parameters_record(versions(stem)[-1])

    [written] = [branch for branch in branches if branch["name"] == derived["name"]]
    assert _spelt_out(written, _named(definition)) == _spelt_out(derived, {})


def _parts(schema: Any) -> list[Json]:
    """Every part of a schema that is written as an object."""
    if isinstance(schema, list):
        return [part for item in schema for part in _parts(item)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(part for value in schema.values() for part in _parts(value))]


def _unexplained(schema: Json) -> list[str]:
    found = []
    for part in _parts(schema):
        if part.get("type") in ("record", "enum") and not part.get("doc"):
            found.append(part["name"])
        found += [f"{part['name']}.{field['name']}" for field in part.get("fields", ()) if not field.get("doc")]
    return found


def _enums(schema: Json) -> list[Json]:
    return [part for part in _parts(schema) if part.get("type") == "enum"]


def _named(schema: Json) -> dict[str, Json]:
    return {part["name"]: part for part in _parts(schema) if part.get("type") in ("record", "enum", "fixed")}


def _spelt_out(schema: Any, named: dict[str, Json]) -> Any:
    """Put definitions where names stand."""
    if isinstance(schema, list):
        return [_spelt_out(item, named) for item in schema]
    if isinstance(schema, dict):
        return {
            key: value if key in {"name", "doc", "symbols"} else _spelt_out(value, named)
            for key, value in schema.items()
        }
    return named.get(schema, schema) if isinstance(schema, str) else schema
