"""The schemas of link definitions that the check derives are those that the program writes with."""

import json
import shutil
from pathlib import Path

import pytest
from fastavro.schema import fingerprint, to_parsing_canonical_form

from actions.registry import load_kinds
from consumer.verify.definition_schemas import definition_schemas
from consumer.verify.reference_model import ReferenceModel
from consumer.verify.update_record import RECORDS, TOPICS, UnknownKind
from schemas.record_schema import FOLDER, load_schemas
from schemas.topics import update_topic
from tests.builders import a_click, a_link, an_action
from tests.schemas.pins import released_kinds

LIKE = ["set_field", "change_interest", "open_request", "run_script"]
"""Updates with plain parameters, with a shared enum, with another type in the link, and with fields left out."""


def with_kinds_like(updates: list[str], folder: Path) -> Path:
    for path in FOLDER.glob("*.avsc"):
        shutil.copy(path, folder)
    shutil.copytree(FOLDER / "earlier", folder / "earlier")
    for number, stem in enumerate(updates):
        update = json.loads((FOLDER / f"{stem}.avsc").read_text()) | {"name": f"Try{number}"}
        (folder / f"try{number}.avsc").write_text(json.dumps(update))
    return folder


@pytest.mark.parametrize("added", [[], *([stem] for stem in LIKE), ["change_interest", "change_interest"], LIKE])
def test_fingerprints_are_those_that_the_program_writes(added: list[str], tmp_path: Path) -> None:
    folder = with_kinds_like(added, tmp_path)
    written = load_schemas(folder)["LinkDefined"]
    files = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.avsc")}
    earlier = [json.loads((folder / f"earlier/link_defined/{number}.avsc").read_text()) for number in (2, 1)]

    found = [
        fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO") for schema in definition_schemas(files, earlier)
    ]

    assert found == [schema.fingerprint.hex() for schema in (written, *written.earlier)]


def test_unknown_kind_says_where_to_add_it() -> None:
    action = an_action() | {"parameters": ("link_actions.AddScoreParameters", {"points": 5})}

    with pytest.raises(UnknownKind, match=r"AddScoreParameters; add .* to consumer/verify/update_record.py"):
        ReferenceModel([a_link(action)]).click(a_click())


def test_every_released_kind_is_known() -> None:
    kinds = load_kinds(load_schemas())

    for name in released_kinds():
        assert (TOPICS[name], RECORDS[name]) == (update_topic(name), kinds[name].update)
