"""The host's types and functions are those of our own WIT."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from enum import StrEnum
from pathlib import Path

import pytest
from wasmtime_attestation import errors, wit
from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, Type
from wasmtime_attestation_bindgen.model import Function, Interface, TypeDef

from tests.bindgen.resolving import interface, resolved_path

MODEL = resolved_path(Path(__file__).parents[2] / "wit")
INTERFACES = {name: interface(MODEL, name) for name in MODEL.packages[MODEL.main].interfaces}
CLASSES = {name: cls for name, cls in vars(wit).items() if inspect.isclass(cls)}

PYTHON = {
    Primitive.BOOL: bool,
    Primitive.STRING: str,
    **dict.fromkeys((Primitive.U8, Primitive.U16, Primitive.U32, Primitive.U64), int),
}


def defined() -> list[TypeDef]:
    """Returns the types that our interfaces define, those that they use from others left out."""
    return [
        definition
        for found in INTERFACES.values()
        for definition in map(MODEL.types.__getitem__, found.types.values())
        if not isinstance(definition.kind, kinds.Alias)
    ]


def of_kind(kind: type[kinds.Kind]) -> dict[str, TypeDef]:
    return {str(d.name): d for d in defined() if isinstance(d.kind, kind)}


RECORDS = of_kind(kinds.Record)
ENUMS = of_kind(kinds.Enum)


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def snake(name: str) -> str:
    return name.replace("-", "_")


def python(type_: Type | None) -> object:
    """Returns the Python type for a type of the WIT; an error that a function raises is none."""
    if type_ is None:
        return type(None)
    if isinstance(type_, Primitive):
        return PYTHON[type_]
    definition = MODEL.types[type_]
    match definition.kind:
        case kinds.Alias(target):
            return python(target)
        case kinds.List(Primitive.U8):
            return bytes
        case kinds.List(element):
            return list[python(element)]  # type: ignore[misc]
        case kinds.Option(value):
            return typing.Optional[python(value)]  # noqa: UP045 - made of a value
        case kinds.Result(ok, _):
            return python(ok)
        case _:
            return CLASSES[camel(str(definition.name))]


def functions() -> list[Function]:
    return [f for found in INTERFACES.values() for f in found.functions.values()]


def test_package() -> None:
    assert str(MODEL.packages[MODEL.main].name) == f"{wit.PACKAGE}@{wit.VERSION}"


def test_nothing_is_missing() -> None:
    in_wit = {camel(name) for name in (*RECORDS, *ENUMS, "target")} - {"Finding"}
    in_python = set(CLASSES) - {"World", "TargetKind", "StrEnum", "Protocol"}
    assert in_python == in_wit


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_enum(name: str) -> None:
    kind = ENUMS[name].kind
    assert isinstance(kind, kinds.Enum)
    cls = CLASSES[camel(name)]
    assert issubclass(cls, StrEnum)
    assert [member.value for member in cls] == [case.name for case in kind.cases]
    assert [member.name for member in cls] == [snake(case.name).upper() for case in kind.cases]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_record(name: str) -> None:
    kind = RECORDS[name].kind
    assert isinstance(kind, kinds.Record)
    cls = errors.Finding if name == "finding" else CLASSES[camel(name)]
    assert dataclasses.is_dataclass(cls)
    hints = typing.get_type_hints(cls)
    assert [(field.name, hints[field.name]) for field in dataclasses.fields(cls)] == [
        (snake(field.name), python(field.type)) for field in kind.fields
    ]


def variant(name: str) -> kinds.Variant:
    kind = next(definition.kind for definition in defined() if definition.name == name)
    assert isinstance(kind, kinds.Variant)
    return kind


def test_target() -> None:
    cases = variant("target").cases
    assert [kind.value for kind in wit.TargetKind] == [case.name for case in cases]
    assert {case.name for case in cases if case.type is not None} == {"gpu"}


def test_errors() -> None:
    cases = {case.name: case for case in variant("error").cases}
    classes = {cls.case: cls for cls in errors.CASES}
    assert list(classes) == list(cases)
    for name, case in cases.items():
        has_message = case.type is Primitive.STRING
        assert issubclass(classes[name], errors._FindingsError) is not has_message


@pytest.mark.parametrize("function", functions(), ids=lambda function: str(function.name))
def test_function(function: Function) -> None:
    method = getattr(wit.World, snake(function.name))
    hints = typing.get_type_hints(method)
    returns = hints.pop("return")
    assert list(inspect.signature(method).parameters)[1:] == list(hints)
    assert list(hints.items()) == [
        (snake(param.name), python(param.type)) for param in function.params
    ]
    assert returns == python(function.result)


def test_the_world_has_no_other_functions() -> None:
    methods = [name for name, value in vars(wit.World).items() if inspect.isfunction(value)]
    public = [name for name in methods if not name.startswith("_")]
    assert public == [snake(function.name) for function in functions()]


def test_every_item_is_documented_and_gated() -> None:
    items: list[Interface | TypeDef | Function] = [*INTERFACES.values(), *defined(), *functions()]
    assert [item.name for item in items if not item.docs or not item.stability.since] == []
