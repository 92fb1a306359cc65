"""A new kind changes the schema of link definitions: old and new programs read what both know, whoever wrote it."""

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from schemas.bad_record import BadRecord
from schemas.codec import Codec, confluent_frame
from schemas.record_schema import FOLDER, RecordSchema, load_schemas

NEW_KINDS = {"try_first": "TryFirst", "try_second": "TrySecond"}
"""Updates of kinds that nobody has added, by the names of their files."""

DEFINITION: dict[str, Any] = {
    "tenant_id": "acme",
    "link_id": "offer",
    "version": 1,
    "epoch": 0,
    "status": "active",
    "name": "Offer",
    "url": None,
    "response": ("link_actions.TextResponse", {"text": "Thank you"}),
    "actions": [
        {
            "action_id": "size",
            "slot": 0,
            "repeat": {"rule": "once", "period_ms": None},
            "parameters": ("link_actions.SetFieldParameters", {"field": "size", "value": "L"}),
            "guard": "none",
        }
    ],
    "defined_at": 1_800_000_000_000,
    "defined_by": "anna",
}


def link_defined_with(folder: Path, kinds: tuple[str, ...]) -> RecordSchema:
    for path in FOLDER.glob("*.avsc"):
        shutil.copy(path, folder)
    for stem in kinds:
        update = json.loads((FOLDER / "set_field.avsc").read_text()) | {"name": NEW_KINDS[stem]}
        (folder / f"{stem}.avsc").write_text(json.dumps(update))
    return load_schemas(folder)["LinkDefined"]


CHOICES = [choice for size in range(3) for choice in combinations(sorted(NEW_KINDS), size)]


@pytest.mark.parametrize("before", CHOICES, ids="+".join)
def test_definitions_from_before_a_new_kind_stay_readable(before: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = Codec(link_defined_with(tmp_path / "old", before))
    new = Codec(link_defined_with(tmp_path / "new", tuple(NEW_KINDS)))

    assert new.decode(old.encode(DEFINITION)) == DEFINITION


def naming(kind: str) -> dict[str, Any]:
    """A definition that asks for an action of this kind."""
    [action] = DEFINITION["actions"]
    parameters = (f"link_actions.{kind}Parameters", {"field": "size", "value": "L"})
    return DEFINITION | {"actions": [action | {"parameters": parameters}]}


@pytest.mark.parametrize("before", CHOICES, ids="+".join)
def test_a_program_from_before_reads_every_definition_that_names_no_kind_it_lacks(
    before: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = Codec(link_defined_with(tmp_path / "old", before))
    new = Codec(link_defined_with(tmp_path / "new", tuple(NEW_KINDS)))

    for definition in (DEFINITION, *(naming(NEW_KINDS[kind]) for kind in before)):
        assert old.decode(new.encode_for_earlier_readers(definition)) == definition
    for kind in NEW_KINDS.keys() - set(before):
        with pytest.raises(BadRecord, match="unknown_schema"):
            old.decode(new.encode_for_earlier_readers(naming(NEW_KINDS[kind])))


def test_what_fits_no_schema_is_refused_with_the_current_one(tmp_path: Path) -> None:
    new = Codec(link_defined_with(tmp_path, tuple(NEW_KINDS)))

    with pytest.raises(ValueError, match="NobodyParameters"):
        new.encode_for_earlier_readers(naming("Nobody"))


def test_in_a_registrys_frame_it_is_the_current_schema(tmp_path: Path) -> None:
    new = Codec(link_defined_with(tmp_path, tuple(NEW_KINDS)), confluent_frame(7))

    assert new.encode_for_earlier_readers(DEFINITION) == new.encode(DEFINITION)


def test_each_new_kind_changes_the_fingerprint(tmp_path: Path) -> None:
    fingerprints = set()
    for choice in CHOICES:
        folder = tmp_path / ("_".join(choice) or "none")
        folder.mkdir()
        fingerprints.add(link_defined_with(folder, choice).fingerprint)
    assert len(fingerprints) == len(CHOICES)


def test_an_earlier_version_of_a_record_stays_readable(tmp_path: Path) -> None:
    hits = json.loads((FOLDER / "link_hits.avsc").read_text())
    later = {"name": "comment", "type": ["null", "string"], "default": None, "doc": "A later field."}
    (tmp_path / "earlier" / "link_hits").mkdir(parents=True)
    (tmp_path / "earlier" / "link_hits" / "1.avsc").write_text(json.dumps(hits))
    (tmp_path / "link_hits.avsc").write_text(json.dumps(hits | {"fields": [*hits["fields"], later]}))

    record = {"tenant_id": "a", "link_id": "b", "partition": 0, "epoch": 0, "clicks": 1, "first_clicks": 1}
    written_before = Codec(load_schemas()["LinkHits"]).encode(record)

    assert Codec(load_schemas(tmp_path)["LinkHits"]).decode(written_before) == {**record, "comment": None}


def test_kinds_may_share_an_enum_that_is_known_and_one_that_is_new(tmp_path: Path) -> None:
    """Avro takes one definition of each name; the later ones call it by the name."""
    for path in FOLDER.glob("*.avsc"):
        shutil.copy(path, tmp_path)
    interest = json.loads((FOLDER / "change_interest.avsc").read_text())
    mood = {
        "name": "mood",
        "type": {"type": "enum", "name": "Mood", "symbols": ["unknown", "good"], "default": "unknown"},
    }
    for stem, name in NEW_KINDS.items():
        update = interest | {
            "name": name,
            "fields": [*interest["fields"], mood | {"default": "unknown", "doc": "Mood."}],
        }
        (tmp_path / f"{stem}.avsc").write_text(json.dumps(update))
    codec = Codec(load_schemas(tmp_path)["LinkDefined"])
    [action] = DEFINITION["actions"]
    parameters = {"operation": "add", "interest": "news", "scope": "person", "mood": "good"}
    for name in NEW_KINDS.values():
        asked = DEFINITION | {"actions": [action | {"parameters": (f"link_actions.{name}Parameters", parameters)}]}
        assert codec.decode(codec.encode(asked)) == asked
