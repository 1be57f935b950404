"""The model as JSON, in the shape in which wit-parser prints its `Resolve`.

Items refer to each other by index. What is absent is left out, except where
wit-parser prints null.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from wasmtime_attestation_bindgen import kinds, model
from wasmtime_attestation_bindgen.kinds import Kind
from wasmtime_attestation_bindgen.model import Form, InterfaceRef, Stability, WorldRef

Json: TypeAlias = dict[str, Any]


def dumps(resolve: model.Resolve) -> str:
    """Returns the model as JSON text, indented by two spaces."""
    return json.dumps(to_json(resolve), indent=2, ensure_ascii=False)


def to_json(resolve: model.Resolve) -> Json:
    """Returns the model as dictionaries and lists."""
    return {
        "worlds": [_world(world) for world in resolve.worlds],
        "interfaces": [_interface(interface) for interface in resolve.interfaces],
        "types": [_type(definition) for definition in resolve.types],
        "packages": [_package(package) for package in resolve.packages],
    }


def _world(world: model.World) -> Json:
    return {
        "name": world.name,
        "imports": _items(world.imports),
        "exports": _items(world.exports),
        "package": world.package,
        **_docs(world.docs),
        **_gates(world),
    }


def _items(items: model.WorldItems) -> Json:
    return {
        key if isinstance(key, str) else f"interface-{key}": _item(item)
        for key, item in items.items()
    }


def _item(item: model.WorldItem) -> Json:
    match item:
        case model.InterfaceItem(id_):
            return {"interface": {"id": id_, **_gates(item), **_docs(item.docs)}}
        case model.FunctionItem(function):
            return {"function": _function(function)}
        case model.TypeItem(id_):
            return {"type": id_}


def _interface(interface: model.Interface) -> Json:
    return {
        "name": interface.name,
        "types": dict(interface.types),
        "functions": {name: _function(function) for name, function in interface.functions.items()},
        **_docs(interface.docs),
        **_gates(interface),
        "package": interface.package,
    }


def _function(function: model.Function) -> Json:
    return {
        "name": function.name,
        "kind": _function_kind(function.kind),
        "params": [{"name": param.name, "type": param.type} for param in function.params],
        **({} if function.result is None else {"result": function.result}),
        **_docs(function.docs),
        **_gates(function),
    }


def _function_kind(kind: model.FunctionKind) -> str | Json:
    form = f"async-{kind.form.value}" if kind.is_async else kind.form.value
    return form if kind.form is Form.FREESTANDING else {form: kind.resource}


def _type(definition: model.TypeDef) -> Json:
    return {
        "name": definition.name,
        "kind": _kind(definition.kind),
        "owner": _owner(definition.owner),
        **_docs(definition.docs),
        **_gates(definition),
    }


def _owner(owner: model.Owner) -> Json | None:
    match owner:
        case InterfaceRef(interface):
            return {"interface": interface}
        case WorldRef(world):
            return {"world": world}
        case None:
            return None


def _kind(kind: Kind) -> str | Json:
    match kind:
        case kinds.Resource():
            return "resource"
        case kinds.Unknown():
            return "unknown"
        case kinds.Own(resource):
            return {"handle": {"own": resource}}
        case kinds.Borrow(resource):
            return {"handle": {"borrow": resource}}
        case kinds.Record() | kinds.Variant() | kinds.Enum() | kinds.Flags():
            return _members(kind)
        case _:
            return {_WORDS[type(kind)]: _arguments(kind)}


_WORDS = {
    kinds.Tuple: "tuple",
    kinds.Option: "option",
    kinds.Result: "result",
    kinds.List: "list",
    kinds.FixedLengthList: "fixed-length-list",
    kinds.Map: "map",
    kinds.Future: "future",
    kinds.Stream: "stream",
    kinds.Alias: "type",
}
_Built: TypeAlias = (
    kinds.Tuple
    | kinds.Option
    | kinds.Result
    | kinds.List
    | kinds.FixedLengthList
    | kinds.Map
    | kinds.Future
    | kinds.Stream
    | kinds.Alias
)


def _arguments(kind: _Built) -> Any:  # noqa: ANN401 - JSON
    match kind:
        case kinds.Tuple(types):
            return {"types": list(types)}
        case kinds.Result(ok, error):
            return {"ok": ok, "err": error}
        case kinds.FixedLengthList(element, length):
            return [element, length]
        case kinds.Map(key, value):
            return [key, value]
        case kinds.List(element):
            return element
        case kinds.Option(type_) | kinds.Alias(type_):
            return type_
        case kinds.Future(payload) | kinds.Stream(payload):
            return payload


def _members(kind: kinds.Record | kinds.Variant | kinds.Enum | kinds.Flags) -> Json:
    match kind:
        case kinds.Record(fields):
            return {"record": {"fields": [_typed(field) for field in fields]}}
        case kinds.Variant(cases):
            return {"variant": {"cases": [_typed(case) for case in cases]}}
        case kinds.Enum(labels):
            return {"enum": {"cases": [_label(label) for label in labels]}}
        case kinds.Flags(labels):
            return {"flags": {"flags": [_label(label) for label in labels]}}


def _typed(member: kinds.Field | kinds.Case) -> Json:
    return {"name": member.name, "type": member.type, **_docs(member.docs)}


def _label(label: kinds.Label) -> Json:
    return {"name": label.name, **_docs(label.docs)}


def _package(package: model.Package) -> Json:
    return {
        "name": str(package.name),
        **_docs(package.docs),
        "interfaces": dict(package.interfaces),
        "worlds": dict(package.worlds),
    }


def _docs(docs: str | None) -> Json:
    return {} if docs is None else {"docs": {"contents": docs}}


def _gates(
    item: model.World | model.Interface | model.InterfaceItem | model.Function | model.TypeDef,
) -> Json:
    external = {} if item.external_id is None else {"external_id": item.external_id}
    stability = stability_json(item.stability)
    return {**({"stability": stability} if stability else {}), **external}


def stability_json(stability: Stability) -> Json:
    """Returns what the gates of an item say, empty where they say nothing."""
    deprecated = {} if stability.deprecated is None else {"deprecated": str(stability.deprecated)}
    if stability.since is not None:
        return {"stable": {"since": str(stability.since), **deprecated}}
    if stability.feature is not None:
        return {"unstable": {"feature": stability.feature, **deprecated}}
    return {}
