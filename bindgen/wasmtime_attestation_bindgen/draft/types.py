"""Types in one interface or world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from wasmtime_attestation_bindgen import kinds, syntax
from wasmtime_attestation_bindgen.draft.scope import Scope, UniqueNames
from wasmtime_attestation_bindgen.draft.state import Draft
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.model import UNKNOWN, Form, Stability, TypeDef
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.syntax import Constructor, MembersForm, Name

_NOT_MAP_KEYS = (Primitive.F32, Primitive.F64, Primitive.ERROR_CONTEXT)


class Types:
    """Resolves types within a scope.

    Args:
        draft: where types go.
        scope: what names mean.
    """

    def __init__(self, draft: Draft, scope: Scope) -> None:
        self._draft = draft
        self._scope = scope

    def kind(self, body: syntax.TypeBody, stability: Stability) -> Kind:
        """Returns what a definition's body says.

        Args:
            body: the body.
            stability: the definition's, which types without a name in it share.

        Raises:
            WitError: a name is unknown, or the body breaks a rule.
        """
        match body:
            case syntax.Resource(functions):
                _check_functions(functions)
                return kinds.Resource()
            case syntax.Members():
                return self._members(body, stability)
            case syntax.PrimitiveType(primitive):
                return kinds.Alias(primitive)
            case syntax.NamedType(name):
                return kinds.Alias(self._scope.type_id(name))
            case syntax.HandleType(owned, resource):
                id_ = self._resource(resource)
                return kinds.Own(id_) if owned else kinds.Borrow(id_)
            case syntax.BuiltType():
                return self._built(body, stability)
            case _:
                assert_never(body)

    def type(self, expression: syntax.TypeExpr, stability: Stability = UNKNOWN) -> Type:
        """Returns the type that an expression stands for.

        Raises:
            WitError: as for `kind`.
        """
        kind = self.kind(expression, stability)
        match kind:
            case kinds.Alias(type_):
                return type_
            case kinds.Own(resource):
                # A resource's name alone means `own` too; `link` makes one handle for both.
                return resource
            case _:
                return self.anonymous(kind, expression.span, stability)

    def anonymous(self, kind: Kind, span: Span, stability: Stability = UNKNOWN) -> TypeId:
        """Returns the type without a name that has this kind, the same one every time."""
        if kind not in self._draft.anonymous:
            inherited = stability if stability.known else self._inherited(kind)
            definition = TypeDef(None, kind, stability=inherited, span=span)
            self._draft.anonymous[kind] = self._draft.add_type(definition)
        return self._draft.anonymous[kind]

    def _inherited(self, kind: Kind) -> Stability:
        # `option<t>` is as stable as `t`: it must vanish together with it.
        stabilities = (
            self._draft.types[type_].stability
            for type_ in kinds.references(kind)
            if not isinstance(type_, Primitive)
        )
        return next((stability for stability in stabilities if stability.known), UNKNOWN)

    def _resource(self, name: Name) -> TypeId:
        id_ = self._scope.type_id(name)
        target = id_
        while True:
            match self._draft.types[target].kind:
                case kinds.Alias(type_) if not isinstance(type_, Primitive):
                    target = type_
                case kinds.Resource():
                    return id_
                case kinds.Unknown():
                    self._draft.resources.append((target, name.span))
                    return id_
                case _:
                    raise WitError(f"`{name.text}` is not a resource", name.span)

    def _members(self, body: syntax.Members, stability: Stability) -> Kind:
        _check_members(body)
        match body.form:
            case MembersForm.RECORD:
                return kinds.Record(
                    tuple(
                        kinds.Field(m.name.text, self.type(m.type, stability), m.docs.text)
                        for m in body.members
                        if m.type is not None
                    )
                )
            case MembersForm.VARIANT:
                return kinds.Variant(
                    tuple(
                        kinds.Case(m.name.text, self._maybe(m.type, stability), m.docs.text)
                        for m in body.members
                    )
                )
            case MembersForm.ENUM:
                return kinds.Enum(_labels(body))
            case MembersForm.FLAGS:
                return kinds.Flags(_labels(body))

    def _maybe(self, expression: syntax.TypeExpr | None, stability: Stability) -> Type | None:
        return None if expression is None else self.type(expression, stability)

    def _built(self, built: syntax.BuiltType, stability: Stability) -> Kind:
        arguments = tuple(self._maybe(argument, stability) for argument in built.arguments)
        given = tuple(argument for argument in arguments if argument is not None)
        match built.constructor:
            case Constructor.RESULT:
                return kinds.Result(*arguments)
            case Constructor.FUTURE:
                return kinds.Future(*arguments)
            case Constructor.STREAM:
                return kinds.Stream(*arguments)
            case Constructor.TUPLE:
                return kinds.Tuple(given)
            case Constructor.OPTION:
                return kinds.Option(*given)
            case Constructor.LIST if built.length is not None:
                return kinds.FixedLengthList(given[0], built.length)
            case Constructor.LIST:
                return kinds.List(*given)
            case Constructor.MAP:
                return _map(*given, span=built.span)


def _map(key: Type, value: Type, *, span: Span) -> Kind:
    if not isinstance(key, Primitive) or key in _NOT_MAP_KEYS:
        raise WitError(
            "this cannot be the key of a map", span, help="use bool, an integer, char or string"
        )
    return kinds.Map(key, value)


def _labels(body: syntax.Members) -> tuple[kinds.Label, ...]:
    return tuple(kinds.Label(member.name.text, member.docs.text) for member in body.members)


def _check_members(body: syntax.Members) -> None:
    if not body.members and body.form in (MembersForm.VARIANT, MembersForm.ENUM):
        raise WitError(f"this {body.form.value} has no cases", body.span)
    names = UniqueNames()
    for member in body.members:
        names.add(member.name)


def _check_functions(functions: Sequence[syntax.Function]) -> None:
    names = UniqueNames()
    constructors = 0
    for function in functions:
        if function.form is not Form.CONSTRUCTOR:
            names.add(function.name)
            continue
        constructors += 1
        if constructors > 1:
            raise WitError("a resource has at most one constructor", function.name.span)


def mentioned(body: syntax.TypeBody) -> Iterator[Name]:
    """Yields the names of types in a definition's body."""
    match body:
        case syntax.NamedType(name) | syntax.HandleType(_, name):
            yield name
        case syntax.BuiltType():
            for argument in body.arguments:
                if argument is not None:
                    yield from mentioned(argument)
        case syntax.Members():
            for member in body.members:
                if member.type is not None:
                    yield from mentioned(member.type)
        case syntax.PrimitiveType() | syntax.Resource():
            pass
