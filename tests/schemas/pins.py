"""The schemas of released records, pinned by `make pins`, which adds what is new and changes nothing that is pinned.

A kind of action whose update is not pinned yet has not been released: the tests ask nothing of other files for it.
From the release on they ask for its row in the docs, its action in the demo and its rules in the judge.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from fastavro.schema import fingerprint, to_parsing_canonical_form

from actions.registry import load_kinds
from schemas.record_schema import FOLDER, load_schemas

FILE = Path(__file__).with_name("pins.json")
PINS: dict[str, dict[str, str]] = json.loads(FILE.read_text())


def schema_files() -> list[Path]:
    return sorted(FOLDER.glob("*.avsc")) + sorted(FOLDER.glob("earlier/*/*.avsc"))


def pin(text: str) -> dict[str, str]:
    """What identifies a schema: on the wire, and byte for byte."""
    canonical = to_parsing_canonical_form(json.loads(text))
    return {
        "fingerprint": fingerprint(canonical, "CRC-64-AVRO"),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def with_new(pins: dict[str, dict[str, str]], files: Iterable[Path]) -> dict[str, dict[str, str]]:
    """The pins, and one for each file that has none yet."""
    added = {str(file.relative_to(FOLDER)): pin(file.read_text()) for file in files}
    return dict(sorted((added | pins).items()))


def released_records() -> set[str]:
    """Names of the records whose schema is pinned."""
    return {json.loads((FOLDER / name).read_text())["name"] for name in PINS}


def released_kinds() -> set[str]:
    released = released_records()
    return {name for name, kind in load_kinds(load_schemas()).items() if kind.update in released}


if __name__ == "__main__":
    FILE.write_text(json.dumps(with_new(PINS, schema_files()), indent=2) + "\n")
