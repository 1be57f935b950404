"""Types that no component can hold, found before anything is as large as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import ModuleError
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.model import Resolve, TypeDef

DEEPEST_TYPE = 96
"""Types within types, names looked through; engines take 100 levels with what is around them."""
MOST_FLAGS = 32
"""In one type (component-model, Explainer.md, "Type Definitions")."""
MOST_CORE_VALUES = 1_000_000
"""In all types of a world together; types that share others could make it grow without bound."""

_LARGEST_OTHER = 2
"""Strings and lists become two core values, other types without members one."""


def check_sizes(resolve: Resolve) -> None:
    """Refuses types that are empty, too deep or too large.

    Raises:
        ModuleError: a type has no members, too many flags or too many levels,
            or all together may become more than `MOST_CORE_VALUES`.
    """
    counts: list[int] = []
    depths: list[int] = []
    total = 0
    # Every type comes after those that it mentions.
    for definition in resolve.types:
        _check_members(definition)
        depths.append(1 + max((depths[id_] for id_ in _ids(definition.kind)), default=0))
        if depths[-1] > DEEPEST_TYPE:
            raise ModuleError(f"{_called(definition)} has more than {DEEPEST_TYPE} levels")
        counts.append(_count(definition.kind, counts))
        total += counts[-1]
        if total > MOST_CORE_VALUES:
            raise ModuleError(
                f"the types of the module's world become more than {MOST_CORE_VALUES} core values"
            )


def _ids(kind: Kind) -> Iterator[TypeId]:
    return (type_ for type_ in kinds.references(kind) if not isinstance(type_, Primitive))


def _check_members(definition: TypeDef) -> None:
    kind = definition.kind
    flags = len(kind.flags) if isinstance(kind, kinds.Flags) else 0
    empty = isinstance(kind, kinds.Record | kinds.Tuple) and not list(kinds.references(kind))
    if empty or kind in (kinds.Flags(()), kinds.Variant(()), kinds.Enum(())):
        raise ModuleError(f"{_called(definition)} has no members, and no component may hold it")
    if flags > MOST_FLAGS:
        raise ModuleError(f"{_called(definition)} has more than {MOST_FLAGS} flags")


def _called(definition: TypeDef) -> str:
    return "a type" if definition.name is None else f"the type `{definition.name}`"


def _count(kind: Kind, counts: Sequence[int]) -> int:
    def of(type_: Type) -> int:
        return _LARGEST_OTHER if isinstance(type_, Primitive) else counts[type_]

    inner = map(of, kinds.references(kind))
    match kind:
        case kinds.Record() | kinds.Tuple() | kinds.Alias():
            return sum(inner)
        case kinds.FixedLengthList(element, length):
            return of(element) * length
        case kinds.Variant() | kinds.Option() | kinds.Result():
            return 1 + max(inner, default=0)
        case kinds.Flags(flags):
            return -(-len(flags) // 32)
        case _:
            return _LARGEST_OTHER
