"""Defines the interfaces of a world in a linker: what generated `link_imports` calls."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wasmtime.component import Linker, LinkerInstance, ResourceType

from wasmtime_attestation.world import host_calls
from wasmtime_attestation.world import variant_cases as variant_cases
from wasmtime_attestation.world.binding import capi, functions, self_test, stock_functions
from wasmtime_attestation.world.binding.functions import Implementation, Otherwise
from wasmtime_attestation.world.binding.handles import Handles
from wasmtime_attestation.world.binding.shapes import Function, Resource


@dataclass(frozen=True, slots=True)
class Interface:
    """What a host implements of an interface.

    Attributes:
        functions: what each function calls.
        resources: what is called with the object of each resource that the guest drops.
    """

    functions: Mapping[Function, Implementation]
    resources: Mapping[Resource, Callable[[Any], None]] = field(default_factory=dict)


def link(
    linker: Linker,
    interfaces: Mapping[str, Interface],
    *,
    otherwise: Otherwise | None = None,
    fast: bool | None = None,
) -> Handles:
    """Defines interfaces in a linker.

    Check what a component imports with `check_imports` first. One with other
    types traps when it calls, or has fields taken for others of the same type.

    Args:
        linker: where to define them.
        interfaces: what to define, by name; the world's own functions by "".
        otherwise: what a guest gets where an implementation failed, or
            answered what does not fit; without it the guest traps.
        fast: whether to pass values in wasmtime's memory (true) or as
            wasmtime-py does (false); by default the former, wherever
            wasmtime-py has the layouts that it needs.

    Returns:
        The resources of this linking.

    Raises:
        TypeError: `fast` is false, and wasmtime-py cannot carry a type.
        WasmtimeError: the linker has an interface already.
    """
    handles = Handles()
    define = functions.link if (_is_fast() if fast is None else fast) else stock_functions.link
    with linker.root() as root:
        for name, interface in interfaces.items():
            if name:
                with root.add_instance(name) as instance:
                    _link(instance, interface, handles, otherwise, define)
            else:
                _link(root, interface, handles, otherwise, define)
    return handles


_Define = Callable[[LinkerInstance, Function, Implementation, Handles, "Otherwise | None"], None]


def _link(
    instance: LinkerInstance,
    interface: Interface,
    handles: Handles,
    otherwise: Otherwise | None,
    define: _Define,
) -> None:
    for resource, drop in interface.resources.items():
        type_ = ResourceType.host(handles.type(resource))
        instance.add_resource(resource.name, type_, _destructor(handles, drop))
    for function, implementation in interface.functions.items():
        define(instance, function, implementation, handles, otherwise)


def _destructor(handles: Handles, drop: Callable[[Any], None]) -> Callable[[object, int], None]:
    return host_calls.shielded(lambda _store, number: drop(handles.take(number)))


@functools.cache
def _is_fast() -> bool:
    problem = capi.problem() or self_test.problem()  # in this order: the second one moves memory
    if problem is not None:
        warnings.warn(
            f"components call their host more slowly than they could: {problem}; use a version of "
            "wasmtime that this package was tested with",
            RuntimeWarning,
            stacklevel=4,
        )
    return problem is None
