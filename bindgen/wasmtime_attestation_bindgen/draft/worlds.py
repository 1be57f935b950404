"""What stands in a world."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.draft.bodies import Body, Context, resolve_interface
from wasmtime_attestation_bindgen.draft.state import Include
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    TypeItem,
    WorldId,
    WorldItem,
    WorldKey,
    WorldRef,
)
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.syntax import Direction


def resolve_world(context: Context, id_: WorldId, file: int, world: syntax.World) -> None:
    """Resolves what stands in a world, and puts it into the draft.

    What it includes is only noted: that may come from other packages.

    Raises:
        WitError: a name in it is taken, unknown, or depends on itself.
    """
    body = Body(context, file, WorldRef(id_), world.items)
    context.draft.includes[id_] = [
        _include(context, file, item) for item in world.items if isinstance(item, syntax.Include)
    ]
    items = _Items(context, file, body)
    for item in world.items:
        if isinstance(item, syntax.Extern):
            items.add_extern(item)
        elif isinstance(item, syntax.TypeDef):
            items.add_resource_functions(item)
    context.draft.worlds[id_] = context.draft.worlds[id_]._replace(
        imports=items.imports,
        exports=items.exports,
        docs=world.docs.text,
        stability=world.attributes.stability,
        external_id=world.attributes.external_id,
    )


def _include(context: Context, file: int, include: syntax.Include) -> Include:
    return Include(
        world=context.namespace.world(file, include.path),
        renames=tuple((renamed.name.text, renamed.new.text) for renamed in include.names),
        stability=include.attributes.stability,
        span=include.path.name.span,
    )


class _Items:
    """A world's imports and exports while they are gathered; its types are imports."""

    def __init__(self, context: Context, file: int, body: Body) -> None:
        self._context = context
        self._file = file
        self._body = body
        self.imports: dict[WorldKey, WorldItem] = {
            name: TypeItem(id_) for name, id_ in body.scope.types().items()
        }
        self.exports: dict[WorldKey, WorldItem] = {}

    def add_resource_functions(self, definition: syntax.TypeDef) -> None:
        for function in self._body.resource_functions(definition):
            self.imports[function.name] = FunctionItem(function)

    def add_extern(self, extern: syntax.Extern) -> None:
        key, item = self._resolve(extern)
        items = self.imports if extern.direction is Direction.IMPORT else self.exports
        if key in items:
            raise _taken(extern, items[key], extern.span)
        items[key] = item

    def _resolve(self, extern: syntax.Extern) -> tuple[WorldKey, WorldItem]:
        what = extern.what
        if isinstance(what, syntax.Function):
            return what.name.text, FunctionItem(self._body.functions.free(what))
        if isinstance(what, syntax.Inline):
            id_ = self._context.draft.add_interface(None, what.name.span)
            resolve_interface(
                self._context, id_, self._file, what.items, extern.docs, extern.attributes
            )
            return what.name.text, _item(id_, extern, None)
        id_ = self._context.namespace.interface(self._file, what.path)
        key = id_ if what.label is None else what.label.text
        return key, _item(id_, extern, extern.docs.text)


def _item(id_: InterfaceId, extern: syntax.Extern, docs: str | None) -> InterfaceItem:
    attributes = extern.attributes
    return InterfaceItem(id_, attributes.stability, attributes.external_id, docs, extern.span)


def _taken(extern: syntax.Extern, first: WorldItem, span: Span) -> WitError:
    direction = extern.direction.value
    if isinstance(extern.what, syntax.Named) and extern.what.label is None:
        return WitError(
            f"this interface is {direction}ed already",
            span,
            help=f"to {direction} it once more, give it a name: `{direction} name: …;`",
        )
    what = {InterfaceItem: "an interface", FunctionItem: "a function", TypeItem: "a type"}
    return WitError(f"{what[type(first)]} of this name is {direction}ed already", span)
