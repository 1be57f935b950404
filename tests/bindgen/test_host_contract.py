"""The host's types and codecs are those of our own WIT, and every item of it is documented."""

from __future__ import annotations

import inspect
from pathlib import Path

from wasmtime_attestation import errors, wit
from wasmtime_attestation_bindgen import files, kinds
from wasmtime_attestation_bindgen.host import generate
from wasmtime_attestation_bindgen.kinds import Primitive
from wasmtime_attestation_bindgen.model import Function, Interface, TypeDef
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.selection import select_world

from tests.bindgen.resolving import interface, resolved_path

ROOT = Path(__file__).parents[2]
MODEL = resolved_path(ROOT / "wit")
INTERFACES = {name: interface(MODEL, name) for name in MODEL.packages[MODEL.main].interfaces}


def defined() -> list[TypeDef]:
    """Returns the types that our interfaces define, those that they use from others left out."""
    return [
        definition
        for found in INTERFACES.values()
        for definition in map(MODEL.types.__getitem__, found.types.values())
        if not isinstance(definition.kind, kinds.Alias)
    ]


def functions() -> list[Function]:
    return [f for found in INTERFACES.values() for f in found.functions.values()]


def test_the_generated_modules_are_up_to_date() -> None:
    generated = generate(MODEL, select_world(MODEL, None), Options())
    assert files.stale(ROOT / "host" / "wasmtime_attestation", generated) == ""


def test_there_is_an_exception_for_each_error() -> None:
    kind = next(definition.kind for definition in defined() if definition.name == "error")
    assert isinstance(kind, kinds.Variant)
    cases = {case.name: case for case in kind.cases}
    classes = {cls.case: cls for cls in errors.CASES}
    assert list(classes) == list(cases)
    for name, case in cases.items():
        has_message = case.type is Primitive.STRING
        assert issubclass(classes[name], errors._FindingsError) is not has_message


def test_the_world_has_every_function() -> None:
    methods = {name for name, _ in inspect.getmembers(wit.World, inspect.isfunction)}
    names = {function.name.replace("-", "_") for function in functions()}
    assert {name for name in methods if not name.startswith("_")} == names


def test_every_item_is_documented_and_gated() -> None:
    items: list[Interface | TypeDef | Function] = [*INTERFACES.values(), *defined(), *functions()]
    assert [item.name for item in items if not item.docs or not item.stability.since] == []
