"""The kinds of action, found by the folder: every module here that exports `KIND` is one."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import actions
from actions.kind import Kind
from schemas.link_parameters import parameters_record
from schemas.record_schema import RecordSchema

WRITTEN_BESIDE = ("id", "kind", "repeat", "guard")
"""Keys of every action in a link file besides its parameters; no parameter may have one of these names."""


_JSON_TYPES = {"int": "integer", "long": "integer", "map": "object"}
"""The JSON types of Avro types whose names differ."""


class KindMismatch(Exception):
    """A kind whose module, name, parameters and schema do not belong together. The program must not start."""


def load_kinds(schemas: Mapping[str, RecordSchema]) -> Mapping[str, Kind]:
    """Import every module of this folder and return the kinds by name.

    Raises KindMismatch, which says what to change, if the modules and the schemas disagree.
    """
    found = pkgutil.iter_modules(actions.__path__)
    return kinds_of((importlib.import_module(f"{actions.__name__}.{module.name}") for module in found), schemas)


def kinds_of(modules: Iterable[ModuleType], schemas: Mapping[str, RecordSchema]) -> Mapping[str, Kind]:
    """Return the kinds that the modules export, by name. Raises KindMismatch."""
    kinds = {}
    for module in modules:
        if hasattr(module, "KIND"):
            name = module.__name__.rpartition(".")[2]
            kinds[name] = _checked(name, module.KIND, schemas)
    _check_every_update_has_one_kind(kinds, schemas)
    return kinds


def _checked(module: str, kind: Any, schemas: Mapping[str, RecordSchema]) -> Kind:
    if not isinstance(kind, Kind):
        raise KindMismatch(f"KIND of actions/{module}.py is not a Kind but {type(kind).__name__}")
    if kind.name != module:
        raise KindMismatch(f"actions/{module}.py names its kind {kind.name!r}; a kind is named like its module")
    schema = schemas.get(kind.update)
    if schema is None or not schema.is_update:
        raise KindMismatch(f"the kind {module!r} makes {kind.update!r}, and schemas/ has no update record of that name")
    _check_parameters(kind, schema)
    return kind


def _check_every_update_has_one_kind(kinds: Mapping[str, Kind], schemas: Mapping[str, RecordSchema]) -> None:
    for name in sorted(name for name, schema in schemas.items() if schema.is_update):
        makers = sorted(kind.name for kind in kinds.values() if kind.update == name)
        if not makers:
            raise KindMismatch(f"schemas/ has the update record {name!r}, and no module of actions/ makes it")
        if len(makers) > 1:
            raise KindMismatch(f"the kinds {' and '.join(makers)} all make {name!r}; each kind needs its own update")


def _check_parameters(kind: Kind, schema: RecordSchema) -> None:
    wanted = {field["name"]: field for field in parameters_record(schema.definition)["fields"]}
    model = kind.parameters.model_json_schema()
    if list(model["properties"]) != list(wanted):
        raise KindMismatch(
            f"the parameters of the kind {kind.name!r} are {', '.join(model['properties'])}; "
            f"the schema of {kind.update} has {', '.join(wanted)}, in this order"
        )
    for name, field in wanted.items():
        if name in WRITTEN_BESIDE:
            raise KindMismatch(
                f"the kind {kind.name!r} has a parameter {name!r}, a word that every action has in a link file"
            )
        written, on_wire = _model_shape(model["properties"][name]), _avro_shape(field["type"])
        if written != on_wire:
            raise KindMismatch(
                f"the parameter {name!r} of the kind {kind.name!r} takes {_listed(written)}; "
                f"the schema of {kind.update} has {_listed(on_wire)}"
            )


def _avro_shape(schema: Any) -> frozenset[str]:
    """Return the JSON types of a value, or the symbols of an enum except its default, which no author writes."""
    if isinstance(schema, list):
        return frozenset[str]().union(*map(_avro_shape, schema))
    if isinstance(schema, str):
        return frozenset([_JSON_TYPES.get(schema, schema)])
    if schema["type"] == "enum":
        return frozenset(repr(symbol) for symbol in schema["symbols"] if symbol != schema.get("default"))
    return _avro_shape(schema["type"])


def _model_shape(schema: Any) -> frozenset[str]:
    if "anyOf" in schema:
        return frozenset[str]().union(*map(_model_shape, schema["anyOf"]))
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return frozenset(map(repr, choices)) if choices else frozenset([str(schema.get("type", "anything"))])


def _listed(shape: frozenset[str]) -> str:
    return " or ".join(sorted(shape))
