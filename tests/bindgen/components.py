"""Core modules in text with the world they target, and the components made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wasmtime
from wasmtime.component import Component, Func, Instance, Linker
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.component_type.values import custom_section

from tests.bindgen.payloads import payload
from tests.bindgen.resolving import resolved

MEMORY = """
(memory (export "memory") 1)
(global $next (mut i32) (i32.const 1024))
(func (export "cabi_realloc") (param $old i32) (param $size i32) (param i32 i32) (result i32)
  (local $new i32)
  (local.set $new (i32.and
    (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get 2))))
  (global.set $next (i32.add (local.get $new) (local.get 3)))
  (memory.copy (local.get $new) (local.get $old)
    (select (local.get $size) (local.get 3) (i32.lt_u (local.get $size) (local.get 3))))
  (local.get $new))
"""
"""A memory, and an allocator that never frees."""


def module(wit: str, wat: str, *, section: str = "component-type") -> bytes:
    """Returns a core module that targets the world `w` of `a:b@1.2.3`."""
    return core(wat) + custom_section(section, payload(resolved(wit), "w"))


def core(wat: str) -> bytes:
    """Returns a core module."""
    return bytes(wasmtime.wat2wasm(f"(module {wat})"))


class Guest:
    """A component that runs.

    Args:
        module: the core module to make it of.
        imports: the host's functions, by instance; "" stands for the world itself.
    """

    def __init__(
        self, module: bytes, imports: Mapping[str, Mapping[str, Callable[..., Any]]] | None = None
    ) -> None:
        engine = wasmtime.Engine()
        self.component = Component(engine, component_new(module))
        self.imports = set(self.component.type.imports(engine))
        self.exports = set(self.component.type.exports(engine))
        self.store = wasmtime.Store(engine)
        linker = Linker(engine)
        with linker.root() as root:
            for instance, functions in (imports or {}).items():
                _define(root, instance, functions)
        self._instance: Instance = linker.instantiate(self.store, self.component)

    def call(self, name: str, *arguments: object, interface: str | None = None) -> Any:  # noqa: ANN401
        """Calls an exported function."""
        parent = None
        if interface is not None:
            parent = self._instance.get_export_index(self.store, interface)
        index = self._instance.get_export_index(self.store, name, parent)
        function = None if index is None else self._instance.get_func(self.store, index)
        assert isinstance(function, Func), name
        return function(self.store, *arguments)


def _define(root: Any, instance: str, functions: Mapping[str, Callable[..., Any]]) -> None:  # noqa: ANN401
    if not instance:
        for name, function in functions.items():
            root.add_func(name, function)
        return
    with root.add_instance(instance) as inner:
        for name, function in functions.items():
            inner.add_func(name, function)
