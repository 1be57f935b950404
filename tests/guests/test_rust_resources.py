"""What a Rust guest does with its host's resources, handle by handle.

The host here is the core module's: wasmtime-py 50 loses its way where a
component's host looks at a resource that it was lent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from wasmtime import Caller, Engine, Func, FuncType, Linker, Memory, Module, Store

from tests.guests import rust_torture

COUNTERS = "test:torture/counters@1.2.3"


class Host:
    """Counters, and the guest's table of handles for them.

    Attributes:
        counts: what each handle's counter stands at.
        dropped: what the counters stood at that the guest dropped.
        given: what the counters stood at that the guest gave away.
    """

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.dropped: list[int] = []
        self.given: list[int] = []
        self._next = 1

    def own(self, count: int) -> int:
        self._next += 1
        self.counts[self._next] = count
        return self._next

    def take(self, handle: int) -> int:
        self.given.append(self.counts[handle])
        return self.counts.pop(handle)

    def drop(self, handle: int) -> None:
        self.dropped.append(self.counts.pop(handle))

    def increment(self, handle: int, by: int) -> int:
        self.counts[handle] += by
        return self.counts[handle]

    def sum(self, lent: int, given: int) -> int:
        return self.own(self.counts[lent] + self.take(given))


class Guest:
    def __init__(self) -> None:
        engine = Engine()
        self.host, self._store = Host(), Store(engine)
        module = Module(engine, rust_torture.torture().read_bytes())
        linker = Linker(engine)
        for item in module.imports:
            type_, name = item.type, str(item.name)
            assert isinstance(type_, FuncType)
            call = self._counters(name) if item.module == COUNTERS else _log
            linker.define_func(item.module, name, type_, call, access_caller=True)
        self._exports = linker.instantiate(self._store, module).exports(self._store)

    def run(self, argument: str) -> str:
        """Calls `run` with one argument and returns the text of its ok."""
        text = self._place(argument.encode())
        array = self._place(struct.pack("<II", text, len(argument)), 4)
        result = self._function("run")(self._store, array, 1)
        tag, at, length = struct.unpack(
            "<B3xII", self._memory.read(self._store, result, result + 12)
        )
        told = bytes(self._memory.read(self._store, at, at + length)).decode()
        assert tag == 0, told
        self._function("cabi_post_run")(self._store, result)
        return told

    @property
    def _memory(self) -> Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, Memory)
        return memory

    def _function(self, name: str) -> Func:
        function = self._exports[name]
        assert isinstance(function, Func)
        return function

    def _place(self, data: bytes, align: int = 1) -> int:
        at = int(self._function("cabi_realloc")(self._store, 0, 0, align, len(data)))
        self._memory.write(self._store, data, at)
        return at

    def _read(self, at: int, layout: str) -> tuple[int, ...]:
        size = struct.calcsize(layout)
        return struct.unpack(layout, self._memory.read(self._store, at, at + size))

    def _counters(self, name: str) -> Callable[..., int | None]:
        host = self.host
        functions: dict[str, Callable[..., int | None]] = {
            "[constructor]counter": lambda _, start: host.own(start),
            "[method]counter.increment": lambda _, this, by: host.increment(this, by),
            "[method]counter.name": self._name,
            "[static]counter.sum": lambda _, a, b: host.sum(a, b),
            "[resource-drop]counter": lambda _, handle: host.drop(handle),
            "wrap": self._wrap,
            "unwrap": lambda _, _label, _length, handle: host.own(host.take(handle)),
            "read-all": self._read_all,
            "maybe": self._maybe,
        }
        return functions[name]

    def _name(self, _: Caller, this: int, result: int) -> None:
        text = f"host {self.host.counts[this]}".encode()
        self._memory.write(self._store, struct.pack("<II", self._place(text), len(text)), result)

    def _wrap(self, _: Caller, label: int, length: int, handle: int, result: int) -> None:
        copy = self._place(bytes(self._memory.read(self._store, label, label + length)))
        own = self.host.own(self.host.take(handle))
        self._memory.write(self._store, struct.pack("<III", copy, length, own), result)

    def _read_all(self, _: Caller, array: int, length: int, result: int) -> None:
        handles = self._read(array, f"<{length}I")
        counts = struct.pack(f"<{length}I", *(self.host.counts[handle] for handle in handles))
        answer = struct.pack("<II", self._place(counts, 4), length)
        self._memory.write(self._store, answer, result)

    def _maybe(self, _: Caller, some: int, handle: int, result: int) -> None:
        own = self.host.own(self.host.take(handle)) if some else 0
        self._memory.write(self._store, struct.pack("<B3xI", some, own), result)


def _log(*_: object) -> None:
    """Nobody listens."""


@pytest.fixture
def guest() -> Guest:
    return Guest()


def test_every_handle_is_lent_given_or_dropped_once(guest: Guest) -> None:
    told = guest.run("counters")
    assert told == '11 [11, 2] sum [Some("host 11"), Some("host 13")] true'
    # Two is given to sum; the sum goes to wrap, unwrap and maybe and comes back each time.
    assert guest.host.given == [2, 13, 13, 13]
    assert sorted(guest.host.dropped) == [11, 13]
    assert guest.host.counts == {}


def test_no_memory_is_lost(guest: Guest) -> None:
    guest.run("counters")
    before = guest.run("heap")
    for _ in range(10):
        guest.run("counters")
    assert guest.run("heap") == before
