"""Functions in one interface or world."""

from __future__ import annotations

from wasmtime_attestation_bindgen import kinds, syntax
from wasmtime_attestation_bindgen.draft.scope import UniqueNames
from wasmtime_attestation_bindgen.draft.state import Draft
from wasmtime_attestation_bindgen.draft.types import Types
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Primitive, Type, TypeId
from wasmtime_attestation_bindgen.model import Form, Function, FunctionKind, Param


class Functions:
    """Resolves functions.

    Args:
        draft: the package.
        types: what resolves their types.
    """

    def __init__(self, draft: Draft, types: Types) -> None:
        self._draft = draft
        self._types = types

    def free(self, function: syntax.Function) -> Function:
        """Returns a function that belongs to no resource.

        Raises:
            WitError: a type in it is unknown, or a parameter's name is taken.
        """
        return self._function(function, function.name.text, None)

    def of_resource(self, function: syntax.Function, name: str, resource: TypeId) -> Function:
        """Returns a function of a resource.

        Args:
            function: the function.
            name: the resource's name.
            resource: the resource.

        Raises:
            WitError: as for `free`, or a constructor returns something else.
        """
        own = "" if function.form is Form.CONSTRUCTOR else f".{function.name.text}"
        return self._function(function, f"[{function.form.value}]{name}{own}", resource)

    def _function(self, function: syntax.Function, name: str, resource: TypeId | None) -> Function:
        kind = FunctionKind(function.form, resource, function.is_async)
        params = self._params(function, resource)
        return Function(
            name=name,
            kind=kind,
            params=params,
            result=self._result(function, resource),
            docs=function.docs.text,
            stability=function.attributes.stability,
            external_id=function.attributes.external_id,
            span=function.name.span,
        )

    def _params(self, function: syntax.Function, resource: TypeId | None) -> tuple[Param, ...]:
        params: list[Param] = []
        names = UniqueNames()
        if function.form is Form.METHOD and resource is not None:
            itself = self._types.anonymous(kinds.Borrow(resource), function.span)
            params.append(Param("self", itself))
            names.add(syntax.Name("self", function.span))
        for name, type_ in function.params:
            resolved = self._types.type(type_)
            names.add(name)
            params.append(Param(name.text, resolved))
        return tuple(params)

    def _result(self, function: syntax.Function, resource: TypeId | None) -> Type | None:
        if function.result is None:
            return resource if function.form is Form.CONSTRUCTOR else None
        result = self._types.type(function.result)
        if function.form is Form.CONSTRUCTOR:
            self._check_constructor(function.result, result, resource)
        return result

    def _check_constructor(
        self, written: syntax.TypeExpr, result: Type, resource: TypeId | None
    ) -> None:
        """Refuses a constructor whose result is anything but `result<resource, …>`."""
        kind = None if isinstance(result, Primitive) else self._draft.types[result].kind
        if not isinstance(kind, kinds.Result):
            raise WitError(
                "a constructor returns its resource: nothing is written, or a `result`",
                written.span,
            )
        if kind.ok != resource:
            ok = written.arguments[0] if isinstance(written, syntax.BuiltType) else None
            raise WitError(
                "the `ok` type of a constructor's result is the resource itself",
                (ok or written).span,
            )
