"""Whether a component imports the world with the world's own types.

wasmtime links host functions by name alone and finds a wrong type when the
function is called. Here it is found before the guest runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from wasmtime import Engine
from wasmtime.component import (
    Component,
    ComponentInstanceType,
    EnumType,
    FuncType,
    ListType,
    OptionType,
    RecordType,
    ResultType,
    ValType,
    VariantType,
)

from wasmtime_attestation import wit

_TEE_TYPE = "enum{" + ",".join(wit.TeeType) + "}"
_TEE_INFO = (
    f"record{{tee-type:{_TEE_TYPE},supports-attestation:bool,provider:string,gpu-count:u32}}"
)
_GPU_INFO = "record{index:u32,uuid:string,name:string,confidential:bool}"
_ATTESTATION_RESULT = (
    f"record{{token:string,evidence:option<string>,timestamp:u64,tee-type:{_TEE_TYPE}}}"
)
_FINDINGS = "list<record{check:string,detail:string}>"
_ERROR = (
    f"variant{{unsupported(string),unavailable(string),rejected({_FINDINGS}),policy({_FINDINGS}),"
    "denied(string),invalid-argument(string),internal(string)}"
)
_CHALLENGE = "record{nonce:list<u8>,user-data:option<list<u8>>,audience:option<string>}"
_EXPECTATIONS = (
    "record{nonce:option<list<u8>>,audience:option<string>,"
    "max-age-seconds:option<u32>,policy:option<string>}"
)
_VERDICT = (
    f"record{{issuer:string,tee-type:{_TEE_TYPE},status:enum{{{','.join(wit.Status)}}},"
    "issued-at:u64,expires-at:u64,guest-digest:option<list<u8>>,claims:string}"
)
_ATTESTED = f"result<{_ATTESTATION_RESULT},{_ERROR}>"

_SIGNATURES: dict[str, dict[str, str]] = {
    "types": {},
    "attestation": {
        "detect-tee": f"()->{_TEE_INFO}",
        "attest-vm": f"()->{_ATTESTED}",
        "attest-gpu": f"(gpu-index:u32)->{_ATTESTED}",
        "verify-token": "(token:string)->bool",
        "clear-cache": "()",
    },
    "attester": {
        "gpus": f"()->result<list<{_GPU_INFO}>,{_ERROR}>",
        "attest": f"(target:variant{{vm,gpu(u32),all}},challenge:{_CHALLENGE})->{_ATTESTED}",
    },
    "verifier": {
        "verify": f"(token:string,expected:{_EXPECTATIONS})->result<{_VERDICT},{_ERROR}>",
    },
}

_IMPORT = re.compile(rf"{wit.PACKAGE}/([a-z0-9-]+)(?:@(.+))?")
# Semantic versioning: while the major version is 0, the minor version decides.
_COMPATIBLE = re.compile(re.escape(wit.VERSION.rpartition(".")[0]) + r"\.[0-9]+")


class SignatureError(ValueError):
    """A component imports or exports something of another type than this host knows."""


class Item(Protocol):
    """An import or an export, as wasmtime-py lists them."""

    @property
    def ty(self) -> object:
        """Its type."""


def check_imports(engine: Engine, component: Component) -> None:
    """Checks what a component imports of `wasmtime:attestation`.

    Args:
        engine: the component's engine.
        component: what to look at.

    Raises:
        SignatureError: an interface, a version, a function or a function's
            type is none of this host's; the message names it.
    """
    for name, item in component.type.imports(engine).items():
        match = _IMPORT.fullmatch(name)
        if match is not None:
            interface, version = match.groups()
            _check_interface(name, interface, version)
            _check_functions(name, _SIGNATURES[interface], functions(engine, name, item))


def functions(engine: Engine, name: str, item: Item) -> dict[str, FuncType]:
    """Returns the functions of an instance that a component imports or exports.

    Args:
        engine: the component's engine.
        name: what the instance is called.
        item: the import or export.

    Raises:
        SignatureError: it is no instance.
    """
    instance = item.ty
    if not isinstance(instance, ComponentInstanceType):
        raise SignatureError(f"{name} is not an instance")
    members = ((name, member.ty) for name, member in instance.exports(engine).items())
    return {name: type_ for name, type_ in members if isinstance(type_, FuncType)}


def fits(function: FuncType, signature: str) -> bool:
    """Whether a function has the type that `signature` writes in WIT's notation, without spaces."""
    # Piece by piece: a guest can declare a type that is far larger than any of ours.
    rest = signature
    for piece in _function(function):
        if not rest.startswith(piece):
            return False
        rest = rest[len(piece) :]
    return not rest


def _check_interface(name: str, interface: str, version: str | None) -> None:
    if version is None or _COMPATIBLE.fullmatch(version) is None:
        raise SignatureError(f"{name} is of another version than this host's {wit.VERSION}")
    if interface not in _SIGNATURES:
        raise SignatureError(f"{name} is an interface that {wit.PACKAGE}@{wit.VERSION} lacks")


def _check_functions(name: str, signatures: dict[str, str], functions: dict[str, FuncType]) -> None:
    for function, type_ in functions.items():
        signature = signatures.get(function)
        if signature is None:
            raise SignatureError(f"{name} has no function {function!r} on this host")
        if not fits(type_, signature):
            raise SignatureError(f"{name} has {function!r} with other types on this host")


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
        case ListType():
            yield from _wrapped("list", type_.element)
        case OptionType():
            yield from _wrapped("option", type_.payload)
        case ResultType():
            yield from _wrapped("result", type_.ok, type_.err)
        case None:
            yield "_"
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
