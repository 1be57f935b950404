"""What a world asks of a host and offers to it, as code generators see it.

Every function and every type has one place: an interface, or the world itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import (
    Future,
    Kind,
    Primitive,
    Stream,
    Type,
    TypeId,
    references,
)
from wasmtime_attestation_bindgen.model import (
    Function,
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    Package,
    Resolve,
    TypeItem,
    World,
    WorldId,
    WorldItems,
    WorldKey,
)
from wasmtime_attestation_bindgen.source import Span

ROOT = "$root"
"""The core module that a world's own functions are imported from (BuildTargets.md)."""


class Instance(NamedTuple):
    """An interface that a world imports or exports, or the world's own items.

    Attributes:
        module: the instance's name in a component, such as `wasi:cli/run@0.2.0`, or the
            plain name of an inline interface, or `ROOT` for the world's own items.
        id: the interface; None for the world's own items.
        types: the types that it defines or uses, by their names in it.
        functions: in the order of the WIT.
        docs: the interface's documentation.
    """

    module: str
    id: InterfaceId | None
    types: dict[str, TypeId]
    functions: tuple[Function, ...]
    docs: str | None = None


class Surface(NamedTuple):
    """A world's two sides."""

    world: World
    imports: tuple[Instance, ...]
    exports: tuple[Instance, ...]


class Mention(NamedTuple):
    """A type that an instance is made of.

    Attributes:
        place: what mentions it, such as "function `f` of `a:b/i`".
        kind: what it is.
        span: where it is mentioned.
        travels: whether a function mentions it.
    """

    place: str
    kind: Primitive | Kind
    span: Span | None
    travels: bool


def surface(resolve: Resolve, world_id: WorldId) -> Surface:
    """Returns what a world imports and exports.

    The world's own items come first, where it has any.

    Args:
        resolve: the model.
        world_id: the world.

    Raises:
        WitError: it mentions what no language is generated for: async functions,
            streams, futures or error contexts.
    """
    world = resolve.worlds[world_id]
    sides = [tuple(_instances(resolve, items)) for items in (world.imports, world.exports)]
    for instance in (*sides[0], *sides[1]):
        _check(resolve, instance)
    return Surface(world, sides[0], sides[1])


def mentions(resolve: Resolve, instance: Instance) -> Iterator[Mention]:
    """Yields every type that an instance is made of, once, with what mentions it first.

    Args:
        resolve: the model.
        instance: the instance.
    """
    seen: set[Type] = set()
    for function in instance.functions:
        place = f"function `{function.name}`{_of(instance)}"
        for type_ in _mentioned(function):
            for kind in _within(resolve, type_, seen):
                yield Mention(place, kind, function.span, travels=True)
    for name, id_ in instance.types.items():
        place = f"type `{name}`{_of(instance)}"
        for kind in _within(resolve, id_, seen):
            yield Mention(place, kind, resolve.types[id_].span, travels=False)


def instance_name(resolve: Resolve, key: WorldKey) -> str:
    """Returns the name of an imported or exported instance in a component."""
    if isinstance(key, str):
        return key
    interface = resolve.interfaces[key]
    package: Package = resolve.packages[interface.package]
    name = package.name
    version = "" if name.version is None else f"@{name.version}"
    return f"{name.namespace}:{name.name}/{interface.name}{version}"


def _instances(resolve: Resolve, items: WorldItems) -> Iterator[Instance]:
    own_types: dict[str, TypeId] = {}
    own_functions: list[Function] = []
    interfaces: list[Instance] = []
    for key, item in items.items():
        match item:
            case FunctionItem(function):
                own_functions.append(function)
            case TypeItem(id_):
                own_types[str(key)] = id_
            case InterfaceItem(id_):
                interfaces.append(_interface(resolve, key, id_))
    if own_types or own_functions:
        yield Instance(ROOT, None, own_types, tuple(own_functions))
    yield from interfaces


def _interface(resolve: Resolve, key: WorldKey, id_: InterfaceId) -> Instance:
    interface = resolve.interfaces[id_]
    functions = tuple(interface.functions.values())
    name = instance_name(resolve, key)
    return Instance(name, id_, dict(interface.types), functions, interface.docs)


def _check(resolve: Resolve, instance: Instance) -> None:
    for function in instance.functions:
        if function.kind.is_async:
            name = f"function `{function.name}`{_of(instance)}"
            raise _inexpressible(f"{name} is async", function.span)
    for mention in mentions(resolve, instance):
        what = _what(mention.kind)
        if what is not None:
            raise _inexpressible(f"{mention.place} mentions {what}", mention.span)


def _of(instance: Instance) -> str:
    return "" if instance.id is None else f" of `{instance.module}`"


def _mentioned(function: Function) -> Iterator[Type]:
    yield from (param.type for param in function.params)
    if function.result is not None:
        yield function.result


def _within(resolve: Resolve, type_: Type, seen: set[Type]) -> Iterator[Primitive | Kind]:
    """Yields what a type is made of, itself first, without what was seen."""
    if type_ in seen:
        return
    seen.add(type_)
    if isinstance(type_, Primitive):
        yield type_
        return
    kind = resolve.types[type_].kind
    yield kind
    for inner in references(kind):
        yield from _within(resolve, inner, seen)


def _what(kind: Primitive | Kind) -> str | None:
    match kind:
        case Primitive.ERROR_CONTEXT:
            return "an error context"
        case Future():
            return "a future"
        case Stream():
            return "a stream"
        case _:
            return None


def _inexpressible(what: str, span: Span | None) -> WitError:
    return WitError(
        f"{what}, which the bindings cannot express",
        span,
        help="leave it out of the world, or generate for a world without it; `resolve` and "
        "`component-type` still take it",
    )
