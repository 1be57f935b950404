"""Whether a component imports what its host has, with the host's own types.

wasmtime links host functions by name alone and finds a wrong type when the
function is called. Here it is found before the guest runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from wasmtime import Engine
from wasmtime.component import Component, ComponentInstanceType, FuncType

from wasmtime_attestation.world.binding.shapes import Function
from wasmtime_attestation.world.binding.signature import fits, notation

Interfaces: TypeAlias = Mapping[str, Sequence[Function]]
"""The functions of interfaces, by its name, `wasi:cli/run@0.2.0` say; the world's own, by ""."""

_NAME = re.compile(r"(?P<package>[^/@]+)/(?P<interface>[^/@]+)(?:@(?P<version>.+))?")
_RELEASE = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)")


class SignatureError(ValueError):
    """A component imports or exports something of another type than this host knows."""


class Item(Protocol):
    """An import or an export, as wasmtime-py lists them."""

    @property
    def ty(self) -> object:
        """Its type."""


def check_imports(engine: Engine, component: Component, interfaces: Interfaces) -> None:
    """Checks what a component imports of the packages that a world is made of.

    What it imports of other packages is not looked at.

    Args:
        engine: the component's engine.
        component: what to look at.
        interfaces: what the host has.

    Raises:
        SignatureError: an interface, a version, a function or a function's
            type is none of this host's; the message names it.
    """
    for name, item in component.type.imports(engine).items():
        if "/" not in name:
            _check_own(name, item, interfaces.get("", ()))
        elif name in interfaces:
            _check(name, interfaces[name], functions(engine, name, item))
        else:
            known = _compatible(name, interfaces)
            if known is not None:
                _check(name, interfaces[known], functions(engine, name, item))


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
    found = {}
    for member, extern in instance.exports(engine).items():
        type_ = extern.ty
        if isinstance(type_, FuncType):
            found[member] = type_
    return found


def _check_own(name: str, item: Item, ours: Sequence[Function]) -> None:
    """Checks a function of the world's own; what else has no interface is not ours."""
    type_ = item.ty
    if isinstance(type_, FuncType) and any(function.name == name for function in ours):
        _check("the component", ours, {name: type_})


def _check(name: str, ours: Sequence[Function], theirs: Mapping[str, FuncType]) -> None:
    signatures = {function.name: notation(function) for function in ours}
    for function, type_ in theirs.items():
        signature = signatures.get(function)
        if signature is None:
            raise SignatureError(f"{name} has no function {function!r} on this host")
        if not fits(type_, signature):
            maps = ", or has maps, which wasmtime-py cannot describe" if "map<" in signature else ""
            raise SignatureError(f"{name} has {function!r} with other types on this host{maps}")


def _compatible(name: str, interfaces: Interfaces) -> str | None:
    """Returns which of our interfaces serves one of theirs; None if the package is not ours."""
    match = _NAME.fullmatch(name)
    names = {known: _NAME.fullmatch(known) for known in interfaces}
    package = {
        known: found
        for known, found in names.items()
        if match and found and found["package"] == match["package"]
    }
    if match is None or not package:
        return None
    serving = {known: found for known, found in package.items() if _serves(match, found)}
    for known, found in serving.items():
        if found["interface"] == match["interface"]:
            return known
    versions = ", ".join(sorted({found["version"] or "none" for found in package.values()}))
    if serving:
        here = f"{match['package']}@{versions}"
        raise SignatureError(f"{name} is an interface that {here} lacks")
    raise SignatureError(f"{name} is of another version than this host's {versions}")


def _serves(theirs: re.Match[str], ours: re.Match[str]) -> bool:
    """Whether our version serves theirs, by the semantic versioning that wasmtime links by."""
    versions = theirs["version"], ours["version"]
    if versions[0] == versions[1]:
        return True
    releases = [_RELEASE.fullmatch(version or "") for version in versions]
    tracks = {_track(*map(int, release.groups())) if release else None for release in releases}
    return len(tracks) == 1 and None not in tracks


def _track(major: int, minor: int, patch: int) -> tuple[int, ...]:
    """Returns what compatible versions share: while the major version is 0, the minor decides."""
    if major:
        return (major,)
    return (0, minor) if minor else (0, 0, patch)
