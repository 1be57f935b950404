"""The host's side of the torture world, on wasmtime's own component API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wasmtime import Engine, Store, StoreContext
from wasmtime.component import (
    Component,
    ComponentInstanceType,
    Func,
    FuncType,
    Linker,
    Record,
    ResourceAny,
    ResourceHost,
    ResourceType,
)

from tests.guests.component_values import Value

VALUES, OPTIONS, COUNTERS = (
    f"test:torture/{name}@1.2.3" for name in ("values", "component-only", "counters")
)
COUNTER = 7
"""The number by which wasmtime knows the host's counters."""


class TortureHost:
    """One instance of a guest that exports what it imports.

    Args:
        component: the guest.

    Attributes:
        received: the arguments of the last call that the guest made.
        answer: what the host's functions of values return.
        counts: the host's counters that exist.
        log: what the guest logged.
    """

    def __init__(self, component: bytes) -> None:
        self._engine = Engine()
        self._component = Component(self._engine, component)
        self.store = Store(self._engine)
        self.received: tuple[Any, ...] = ()
        self.answer: Any = None
        self.counts: dict[int, int] = {}
        self.log: list[str] = []
        self._next = 0
        self._instance = self._linker().instantiate(self.store, self._component)

    def functions(self, interface: str) -> dict[str, FuncType]:
        """Returns an exported interface's functions, by name."""
        exported = self._component.type.exports(self._engine)[interface].ty
        assert isinstance(exported, ComponentInstanceType)
        items = exported.exports(self._engine)
        return {name: item.ty for name, item in items.items() if isinstance(item.ty, FuncType)}

    def call(self, interface: str | None, name: str, *arguments: Value) -> Value:
        """Calls an export."""
        index = None
        if interface is not None:
            index = self._instance.get_export_index(self.store, interface)
            assert index is not None
        found = self._instance.get_export_index(self.store, name, index)
        assert found is not None, f"{interface} has no {name}"
        function = self._instance.get_func(self.store, found)
        assert isinstance(function, Func)
        return function(self.store, *arguments)

    def _linker(self) -> Linker:
        linker = Linker(self._engine)
        imports = self._component.type.imports(self._engine)
        with linker.root() as root:
            for interface in (VALUES, OPTIONS):
                if interface in imports:
                    with root.add_instance(interface) as instance:
                        for name in self.functions(interface):
                            instance.add_func(name, self._echo)
            with root.add_instance(COUNTERS) as instance:
                counter = ResourceType.host(COUNTER)
                instance.add_resource("counter", counter, self._drop)
                for name, function in self._counter_functions().items():
                    instance.add_func(name, function)
            with root.add_instance("inline") as instance:
                instance.add_func("add", lambda _, a, b: a + b)
            root.add_func("log", lambda _, message: self.log.append(message))
        return linker

    def _echo(self, _: object, *arguments: Value) -> Value:
        self.received = arguments
        return self.answer

    def _counter_functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "[constructor]counter": lambda _, start: self._make(start),
            "[method]counter.increment": self._increment,
            "[method]counter.name": lambda store, self_: f"host {self._rep(store, self_)}",
            "[static]counter.sum": self._sum,
            "wrap": self._wrap,
            "unwrap": lambda _, owner: owner.counter,
            "read-all": self._read_all,
            "maybe": lambda _, counter: counter,
        }

    def _make(self, start: int) -> ResourceHost:
        self._next += 1
        self.counts[self._next] = start
        return ResourceHost.own(self._next, COUNTER)

    def _rep(self, store: StoreContext, handle: ResourceAny) -> int:
        return handle.to_host(store).rep

    def _drop(self, _: object, rep: int) -> None:
        del self.counts[rep]

    def _increment(self, store: StoreContext, handle: ResourceAny, by: int) -> int:
        rep = self._rep(store, handle)
        self.counts[rep] += by
        return self.counts[rep]

    def _sum(self, store: StoreContext, a: ResourceAny, b: ResourceAny) -> ResourceHost:
        first, second = self._rep(store, a), b.to_host(store)
        total = self.counts[first] + self.counts.pop(second.rep)
        return self._make(total)

    def _wrap(self, _: object, label: str, counter: ResourceAny) -> Record:
        owner = Record()
        owner.label, owner.counter = label, counter  # type: ignore[attr-defined]
        return owner

    def _read_all(self, store: StoreContext, many: Sequence[ResourceAny]) -> list[int]:
        return [self.counts[self._rep(store, each)] for each in many]
