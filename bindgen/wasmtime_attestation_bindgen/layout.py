"""How values lie in memory and travel in core values.

The component model's CanonicalABI.md defines all of it: `alignment` and
`elem_size` (section Element Size), `flatten_type` and `flatten_functype`
(section Flattening).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple, TypeAlias, TypeVar

from wasmtime_attestation_bindgen.kinds import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Future,
    Kind,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    Unknown,
    Variant,
)
from wasmtime_attestation_bindgen.model import Function, Resolve

MAX_FLAT_PARAMS = 16
MAX_FLAT_RESULTS = 1
POINTER_SIZE = 4

T = TypeVar("T")


class CoreType(StrEnum):
    """A core WebAssembly type."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"


Flat: TypeAlias = tuple[CoreType, ...]


class CoreSignature(NamedTuple):
    """The core type of a function that is imported or exported.

    Attributes:
        params: core parameters.
        results: core results, at most one.
        spilled: there are too many parameters, so the only one for them points to a tuple.
        return_pointer: the result is in memory: an import is told where as its last
            parameter, an export returns where.
    """

    params: Flat
    results: Flat
    spilled: bool
    return_pointer: bool


_SIZES = {
    Primitive.BOOL: 1,
    Primitive.U8: 1,
    Primitive.S8: 1,
    Primitive.U16: 2,
    Primitive.S16: 2,
    Primitive.U32: 4,
    Primitive.S32: 4,
    Primitive.F32: 4,
    Primitive.CHAR: 4,
    Primitive.U64: 8,
    Primitive.S64: 8,
    Primitive.F64: 8,
    Primitive.STRING: 2 * POINTER_SIZE,
    Primitive.ERROR_CONTEXT: 4,
}
_WIDE = {
    Primitive.U64: CoreType.I64,
    Primitive.S64: CoreType.I64,
    Primitive.F32: CoreType.F32,
    Primitive.F64: CoreType.F64,
}
_I32 = CoreType.I32


class Layout:
    """The sizes, alignments and flat forms of a model's types.

    Args:
        resolve: the model.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._types = resolve.types
        self._sizes: dict[Type, int] = {}
        self._alignments: dict[Type, int] = {}
        self._flats: dict[Type, Flat] = {}

    def kind(self, type_: Type) -> Primitive | Kind:
        """Returns what a type is, once aliases are followed."""
        while not isinstance(type_, Primitive):
            kind = self._types[type_].kind
            if not isinstance(kind, Alias):
                return kind
            type_ = kind.type
        return type_

    def size(self, type_: Type) -> int:
        """Returns how many bytes a value takes in memory, padding at its end included."""
        return _remembered(self._sizes, type_, lambda: self._size(self.kind(type_)))

    def alignment(self, type_: Type) -> int:
        """Returns what a value's address is a multiple of: 1, 2, 4 or 8."""
        return _remembered(self._alignments, type_, lambda: self._alignment(self.kind(type_)))

    def flat(self, type_: Type) -> Flat:
        """Returns the core values that a value becomes."""
        return _remembered(self._flats, type_, lambda: tuple(self._flat(self.kind(type_))))

    def offsets(self, types: Sequence[Type]) -> tuple[int, ...]:
        """Returns where the members of a record or tuple begin."""
        found, end = [], 0
        for type_ in types:
            start = _align(end, self.alignment(type_))
            found.append(start)
            end = start + self.size(type_)
        return tuple(found)

    def discriminant(self, cases: int) -> int:
        """Returns how many bytes tell `cases` cases apart: 1, 2 or 4."""
        return 1 if cases <= 1 << 8 else 2 if cases <= 1 << 16 else 4

    def payload_offset(self, cases: Sequence[Type | None]) -> int:
        """Returns where the payload of a variant begins."""
        return _align(self.discriminant(len(cases)), self._widest(cases))

    def cases(self, kind: Primitive | Kind) -> tuple[Type | None, ...] | None:
        """Returns the payloads of what is laid out like a variant; None for everything else."""
        match kind:
            case Variant(cases):
                return tuple(case.type for case in cases)
            case Enum(labels):
                return (None,) * len(labels)
            case Option(type_):
                return None, type_
            case Result(ok, error):
                return ok, error
            case _:
                return None

    def members(self, kind: Primitive | Kind) -> tuple[Type, ...] | None:
        """Returns the members of what is laid out like a record; None for everything else."""
        match kind:
            case Record(fields):
                return tuple(field.type for field in fields)
            case Tuple(types):
                return types
            case FixedLengthList(element, length):
                return (element,) * length
            case _:
                return None

    def lowered(self, function: Function) -> CoreSignature:
        """Returns the core type of a function that is imported."""
        params, spilled = self._params(function)
        results = self._results(function)
        if len(results) > MAX_FLAT_RESULTS:
            return CoreSignature((*params, _I32), (), spilled, return_pointer=True)
        return CoreSignature(params, results, spilled, return_pointer=False)

    def lifted(self, function: Function) -> CoreSignature:
        """Returns the core type of a function that is exported."""
        params, spilled = self._params(function)
        results = self._results(function)
        if len(results) > MAX_FLAT_RESULTS:
            return CoreSignature(params, (_I32,), spilled, return_pointer=True)
        return CoreSignature(params, results, spilled, return_pointer=False)

    def _params(self, function: Function) -> tuple[Flat, bool]:
        flat = [core for param in function.params for core in self.flat(param.type)]
        return ((_I32,), True) if len(flat) > MAX_FLAT_PARAMS else (tuple(flat), False)

    def _results(self, function: Function) -> Flat:
        return () if function.result is None else self.flat(function.result)

    def _size(self, kind: Primitive | Kind) -> int:
        match kind:
            case Primitive():
                return _SIZES[kind]
            case List() | Map():
                return 2 * POINTER_SIZE
            case Own() | Borrow() | Future() | Stream():
                return 4
            case Flags(flags):
                return _flags_size(len(flags))
            case FixedLengthList(element, length):
                return self.size(element) * length
            case Resource() | Alias() | Unknown():
                raise _NotAValueError(kind)
            case _:
                return _align(self._content(kind), self._alignment(kind))

    def _content(self, kind: Kind) -> int:
        members = self.members(kind)
        if members is not None:
            return self.offsets(members)[-1] + self.size(members[-1]) if members else 0
        cases = self.cases(kind)
        if cases is None:
            raise _NotAValueError(kind)
        largest = max((self.size(case) for case in cases if case is not None), default=0)
        return self.payload_offset(cases) + largest

    def _alignment(self, kind: Primitive | Kind) -> int:
        match kind:
            case Primitive.STRING | List() | Map():
                return POINTER_SIZE
            case Flags(flags):
                return min(4, _flags_size(len(flags))) or 1
            case FixedLengthList(element, _):
                return self.alignment(element)
            case Record() | Tuple():
                return self._widest(self.members(kind) or ())
            case Variant() | Enum() | Option() | Result():
                cases = self.cases(kind) or ()
                return max(self.discriminant(len(cases)), self._widest(cases))
            case _:
                return self._size(kind)

    def _widest(self, types: Sequence[Type | None]) -> int:
        return max((self.alignment(type_) for type_ in types if type_ is not None), default=1)

    def _flat(self, kind: Primitive | Kind) -> Iterator[CoreType]:
        match kind:
            case Primitive.STRING | List() | Map():
                yield from (_I32, _I32)
            case Primitive():
                yield _WIDE.get(kind, _I32)
            case Own() | Borrow() | Future() | Stream():
                yield _I32
            case Flags(flags):
                yield from [_I32] * -(-len(flags) // 32)
            case Resource() | Alias() | Unknown():
                raise _NotAValueError(kind)
            case _:
                yield from self._flat_compound(kind)

    def _flat_compound(self, kind: Kind) -> Iterator[CoreType]:
        members = self.members(kind)
        if members is not None:
            yield from (core for member in members for core in self.flat(member))
            return
        yield _I32
        payloads = [self.flat(case) for case in self.cases(kind) or () if case is not None]
        for position in zip_longest(*payloads):
            yield _joined([core for core in position if core is not None])


class _NotAValueError(TypeError):
    def __init__(self, kind: object) -> None:
        super().__init__(f"{type(kind).__name__} is not the type of a value")


def _joined(cores: Sequence[CoreType]) -> CoreType:
    """Returns the core type that carries any of some (CanonicalABI.md, `join`)."""
    different = set(cores)
    if len(different) == 1:
        return cores[0]
    return _I32 if different == {_I32, CoreType.F32} else CoreType.I64


def _flags_size(count: int) -> int:
    if count == 0:
        return 0
    return 1 if count <= 8 else 2 if count <= 16 else 4 * -(-count // 32)


def _align(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _remembered(known: dict[Type, T], type_: Type, compute: Callable[[], T]) -> T:
    if type_ not in known:
        known[type_] = compute()
    return known[type_]
