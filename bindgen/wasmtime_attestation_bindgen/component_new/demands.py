"""What the canonical ABI needs of a module to call a function (CanonicalABI.md, `canonopt`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wasmtime_attestation_bindgen.kinds import List, Map, Primitive, Type, references
from wasmtime_attestation_bindgen.layout import CoreSignature
from wasmtime_attestation_bindgen.model import Function, Resolve


@dataclass(frozen=True, slots=True)
class Demands:
    """What a function needs.

    Attributes:
        memory: its values pass through memory.
        realloc: some of them are put where the module allocates.
        strings: there are strings among them, which have an encoding.
    """

    memory: bool
    realloc: bool
    strings: bool

    @property
    def none(self) -> bool:
        """Whether nothing is needed."""
        return not (self.memory or self.realloc or self.strings)


class Contents:
    """Which types hold lists and strings.

    Args:
        resolve: the model.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._memory: list[bool] = []
        self._strings: list[bool] = []
        # Every type comes after those that it mentions.
        for definition in resolve.types:
            inner = tuple(references(definition.kind))
            lists = isinstance(definition.kind, List | Map)
            self._memory.append(lists or self._any_memory(inner))
            self._strings.append(self._any_strings(inner))

    def _any_memory(self, types: Iterable[Type]) -> bool:
        return any(
            type_ is Primitive.STRING if isinstance(type_, Primitive) else self._memory[type_]
            for type_ in types
        )

    def _any_strings(self, types: Iterable[Type]) -> bool:
        return any(
            type_ is Primitive.STRING if isinstance(type_, Primitive) else self._strings[type_]
            for type_ in types
        )

    def of_import(self, function: Function, signature: CoreSignature) -> Demands:
        """Returns what a function needs that the module calls."""
        params, result = _params(function), _result(function)
        return Demands(
            memory=_pointers(signature) or self._any_memory((*params, *result)),
            realloc=self._any_memory(result),
            strings=self._any_strings((*params, *result)),
        )

    def of_export(self, function: Function, signature: CoreSignature) -> Demands:
        """Returns what a function needs that the module implements."""
        params, result = _params(function), _result(function)
        return Demands(
            memory=_pointers(signature) or self._any_memory((*params, *result)),
            realloc=signature.spilled or self._any_memory(params),
            strings=self._any_strings((*params, *result)),
        )


def _pointers(signature: CoreSignature) -> bool:
    return signature.spilled or signature.return_pointer


def _params(function: Function) -> tuple[Type, ...]:
    return tuple(param.type for param in function.params)


def _result(function: Function) -> tuple[Type, ...]:
    return () if function.result is None else (function.result,)
