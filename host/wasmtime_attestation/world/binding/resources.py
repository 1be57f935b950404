"""Resources: objects of the host that a guest holds, and handles of a guest's own objects.

A resource of the host is any Python object; the guest knows it by a number. One
of the guest is a `Handle`, whose methods call the guest.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_size_t
from typing import Any, TypeAlias

from wasmtime_attestation.world.binding import capi, shapes
from wasmtime_attestation.world.binding.handles import Handle
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.scope import Scope

Lifter: TypeAlias = Callable[[bytes, int, Scope], Any]
Lowerer: TypeAlias = Callable[[Any, Scope], bytes]


def lifter(shape: shapes.Own | shapes.Borrow) -> Lifter:
    """Returns what reads a resource: an object of the host's, or a handle."""
    is_owned = isinstance(shape, shapes.Own)
    resource = shape.resource

    def lift(block: bytes, at: int, scope: Scope) -> Any:  # noqa: ANN401 - any object
        found, any_ = capi.ADDRESS.unpack_from(block, at)
        if found != capi.RESOURCE:
            raise MisfitError(f"the guest has another type where its host has {resource.name}")
        if resource.guest:
            if scope.exports is None:
                raise MisfitError(f"{resource.name} is a resource of the guest's own")
            return scope.exports.handle(resource, capi.any_clone(any_))
        number = _number(any_, resource, scope)
        return scope.handles.take(number) if is_owned else scope.handles.get(number)

    return lift


def _number(any_: int, resource: shapes.Resource, scope: Scope) -> int:
    """Returns the number of a host's resource, which leaves the guest's table if it was owned."""
    slot = c_size_t(0)
    error = capi.any_to_host(scope.context, any_, addressof(slot))
    if error:
        raise capi.error(error)
    host = slot.value
    try:
        if capi.host_type(host) != scope.handles.type(resource):
            raise MisfitError(
                f"the guest passes another resource where its host has {resource.name}"
            )
        number: int = capi.host_rep(host)
        return number
    finally:
        capi.host_delete(host)


def lowerer(shape: shapes.Own | shapes.Borrow) -> Lowerer:
    """Returns what writes a resource."""
    if shape.resource.guest:
        return _guest_lowerer(shape)
    is_owned = isinstance(shape, shapes.Own)

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - any object
        if value is None:
            raise MisfitError(f"None, not a {shape.resource.name}")
        if not scope.context:
            return _CHECKED
        any_ = _any(value, shape.resource, scope, is_owned=is_owned)
        return capi.ADDRESS.pack(capi.RESOURCE, any_)

    return lower


_CHECKED = bytes(capi.VAL)


def _any(value: object, resource: shapes.Resource, scope: Scope, *, is_owned: bool) -> int:
    """Returns a handle for wasmtime, which the scope deletes once it is copied."""
    handles = scope.handles
    number = handles.put(value)
    slot = c_size_t(0)
    host = capi.host_new(is_owned, number, handles.type(resource))
    error = capi.host_to_any(scope.context, host, addressof(slot))
    capi.host_delete(host)
    if error:
        handles.take(number)
        raise capi.error(error)
    any_ = slot.value
    scope.finish.append(lambda: capi.any_delete(any_))
    if not is_owned:
        scope.finish.append(lambda: handles.discard(number))
    return any_


def _guest_lowerer(shape: shapes.Own | shapes.Borrow) -> Lowerer:
    is_owned = isinstance(shape, shapes.Own)

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(value, Handle):
            raise MisfitError(f"a {type(value).__name__}, not a {shape.resource.name}")
        any_ = value.address
        if is_owned and scope.context:
            scope.finish.append(value.forget)
        return capi.ADDRESS.pack(capi.RESOURCE, any_)

    return lower
