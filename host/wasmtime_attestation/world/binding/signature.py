"""The types of functions in WIT's notation, without spaces: of shapes, and of components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wasmtime.component import (
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    OptionType,
    OwnType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

from wasmtime_attestation.world.binding import shapes
from wasmtime_attestation.world.binding.shapes import Function, Shape


def notation(function: Function) -> str:
    """Returns the type of a host function, such as `(token:string)->bool`."""
    params = ",".join(f"{name}:{_shape(shape)}" for name, shape in function.params.items())
    result = "" if function.result is None else f"->{_shape(function.result)}"
    return f"({params}){result}"


def fits(function: FuncType, signature: str) -> bool:
    """Whether a component's function has the type that `signature` writes."""
    # Piece by piece: a guest can declare a type that is far larger than any of ours.
    rest = signature
    try:
        for piece in _function(function):
            if not rest.startswith(piece):
                return False
            rest = rest[len(piece) :]
    except TypeError:  # wasmtime-py does not know the kind of type
        return False
    return not rest


def _shape(shape: Shape | None) -> str:
    match shape:
        case None:
            return "_"
        case shapes.Integer(bits, signed):
            return f"{'s' if signed else 'u'}{bits}"
        case shapes.Float(bits):
            return f"f{bits}"
        case shapes.Octets():
            return "list<u8>"
        case shapes.List(element):
            return f"list<{_shape(element)}>"
        case shapes.Map(key, value):
            return f"map<{_shape(key)},{_shape(value)}>"
        case shapes.Tuple(members):
            return f"tuple<{','.join(map(_shape, members))}>"
        case shapes.Option(payload, _):
            return f"option<{_shape(payload)}>"
        case shapes.Result(ok, err, _, _):
            return f"result<{_shape(ok)},{_shape(err)}>"
        case _:
            return _named_shape(shape)


def _named_shape(
    shape: shapes.Bool
    | shapes.Char
    | shapes.String
    | shapes.Record
    | shapes.Variant
    | shapes.Enum
    | shapes.Flags
    | shapes.Own
    | shapes.Borrow,
) -> str:
    match shape:
        case shapes.Record(_, fields):
            return _braces("record", fields, ":", "")
        case shapes.Variant(cases):
            payloads = {label: case.payload for label, case in cases.items()}
            return _braces("variant", payloads, "(", ")")
        case shapes.Enum(type_):
            return f"enum{{{','.join(type_)}}}"
        case shapes.Flags(_, labels):
            return f"flags{{{','.join(labels)}}}"
        case _:
            return type(shape).__name__.lower()


def _braces(kind: str, members: Mapping[str, Shape | None], opening: str, closing: str) -> str:
    written = (
        label if shape is None else f"{label}{opening}{_shape(shape)}{closing}"
        for label, shape in members.items()
    )
    return f"{kind}{{{','.join(written)}}}"


def _function(function: FuncType) -> Iterator[str]:
    yield "("
    yield from _members(function.params, ":", "")
    yield ")"
    result = function.result
    if result is not None:
        yield "->"
        yield from _type(result)


def _type(type_: ValType | None) -> Iterator[str]:
    match type_:
        case None:
            yield "_"
        case RecordType():
            yield "record{"
            yield from _members(type_.fields, ":", "")
            yield "}"
        case VariantType():
            yield "variant{"
            yield from _members(type_.cases, "(", ")")
            yield "}"
        case EnumType():
            yield "enum{" + ",".join(type_.names) + "}"
        case FlagsType():
            yield "flags{" + ",".join(type_.names) + "}"
        case _:
            yield from _parametrised(type_)


def _parametrised(type_: ValType) -> Iterator[str]:
    match type_:
        case ListType():
            yield from _wrapped("list", type_.element)
        case TupleType():
            yield from _wrapped("tuple", *type_.elements)
        case OptionType():
            yield from _wrapped("option", type_.payload)
        case ResultType():
            yield from _wrapped("result", type_.ok, type_.err)
        case OwnType():
            yield "own"
        case BorrowType():
            yield "borrow"
        case _:
            yield type(type_).__name__.lower()


def _members(
    members: Sequence[tuple[str, ValType | None]], opening: str, closing: str
) -> Iterator[str]:
    for position, (name, type_) in enumerate(members):
        yield ("," if position else "") + name
        if type_ is not None:
            yield opening
            yield from _type(type_)
            yield closing


def _wrapped(kind: str, *types: ValType | None) -> Iterator[str]:
    for position, type_ in enumerate(types):
        yield "," if position else f"{kind}<"
        yield from _type(type_)
    yield ">"
