"""What stands between the braces of an interface or a world: types, `use`, functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds, syntax
from wasmtime_attestation_bindgen.draft.functions import Functions
from wasmtime_attestation_bindgen.draft.namespace import Namespace
from wasmtime_attestation_bindgen.draft.order import topological_order
from wasmtime_attestation_bindgen.draft.scope import Scope, name_taken
from wasmtime_attestation_bindgen.draft.state import Draft, Item
from wasmtime_attestation_bindgen.draft.types import Types, mentioned
from wasmtime_attestation_bindgen.model import Function, InterfaceId, InterfaceRef, TypeDef
from wasmtime_attestation_bindgen.syntax import Name


class Context(NamedTuple):
    """What all bodies of a package share.

    Attributes:
        draft: the package.
        namespace: what paths mean.
        scopes: the types of the interfaces that are resolved so far.
    """

    draft: Draft
    namespace: Namespace
    scopes: dict[InterfaceId, Scope]


class Body:
    """The body of one interface or world.

    Args:
        context: the package.
        file: the index of the file that it stands in.
        owner: the interface or world.
        items: what stands in it; its types are defined at once.

    Raises:
        WitError: a name is taken, unknown, or depends on itself.
    """

    def __init__(
        self,
        context: Context,
        file: int,
        owner: Item,
        items: Sequence[syntax.WorldItem | syntax.Function],
    ) -> None:
        self._context = context
        self._file = file
        self._owner = owner
        self.scope = Scope()
        self._types = Types(context.draft, self.scope)
        self.functions = Functions(context.draft, self._types)
        for item in items:
            if isinstance(item, syntax.Use):
                self._use(item)
        self._define_types(items)

    def resource_functions(self, definition: syntax.TypeDef) -> Iterator[Function]:
        """Yields the functions of a type's definition; only a resource has any.

        Raises:
            WitError: as `Functions.of_resource`.
        """
        if isinstance(definition.body, syntax.Resource):
            resource = self.scope.type_id(definition.name)
            for function in definition.body.functions:
                yield self.functions.of_resource(function, definition.name.text, resource)

    def _use(self, use: syntax.Use) -> None:
        source = self._context.scopes[self._context.namespace.interface(self._file, use.path)]
        for renamed in use.names:
            alias = TypeDef(
                name=renamed.new.text,
                kind=kinds.Alias(source.type_id(renamed.name)),
                owner=self._owner,
                stability=use.attributes.stability,
                external_id=use.attributes.external_id,
                span=renamed.name.span,
            )
            self.scope.define_type(renamed.new, self._context.draft.add_type(alias))

    def _define_types(self, items: Iterable[syntax.InterfaceItem | syntax.WorldItem]) -> None:
        definitions: dict[str, syntax.TypeDef] = {}
        # Names from `use` take part so that the order is that of the text where it can be.
        needs: dict[str, list[Name]] = {}
        for item in items:
            if isinstance(item, syntax.Use):
                needs.update((renamed.new.text, []) for renamed in item.names)
            elif isinstance(item, syntax.TypeDef):
                if item.name.text in self.scope or item.name.text in definitions:
                    raise name_taken(item.name)
                definitions[item.name.text] = item
                needs[item.name.text] = list(mentioned(item.body))
        for name in topological_order("type", needs):
            if name in definitions:
                self._define_type(definitions[name])

    def _define_type(self, definition: syntax.TypeDef) -> None:
        stability = definition.attributes.stability
        resolved = TypeDef(
            name=definition.name.text,
            kind=self._types.kind(definition.body, stability),
            owner=self._owner,
            docs=definition.docs.text,
            stability=stability,
            external_id=definition.attributes.external_id,
            span=definition.name.span,
        )
        self.scope.define_type(definition.name, self._context.draft.add_type(resolved))


def resolve_interface(
    context: Context,
    id_: InterfaceId,
    file: int,
    items: Sequence[syntax.InterfaceItem],
    docs: syntax.Docs,
    attributes: syntax.Attributes,
) -> None:
    """Resolves what stands in an interface, and puts it into the draft.

    Args:
        context: the package.
        id_: the interface.
        file: the index of the file that it stands in.
        items: what stands in it.
        docs: its documentation.
        attributes: its attributes.

    Raises:
        WitError: a name in it is taken, unknown, or depends on itself.
    """
    body = Body(context, file, InterfaceRef(id_), items)
    types = body.scope.types()
    functions: dict[str, Function] = {}
    for item in items:
        if isinstance(item, syntax.Function):
            body.scope.define_function(item.name)
            functions[item.name.text] = body.functions.free(item)
        elif isinstance(item, syntax.TypeDef):
            functions.update((f.name, f) for f in body.resource_functions(item))
    context.scopes[id_] = body.scope
    context.draft.interfaces[id_] = context.draft.interfaces[id_]._replace(
        types=types,
        functions=functions,
        docs=docs.text,
        stability=attributes.stability,
        external_id=attributes.external_id,
    )
