"""A host for the core module of a guest that hands on what it is given.

No component is made of the module: this is what would stand between a
component and its guest, so it reaches types that no component API offers yet.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wasmtime import Engine, Func, FuncType, Linker, Memory, Module, Store
from wasmtime_attestation_bindgen.model import Function, Resolve

from tests.guests.canonical_types import WIDTHS, Form, Members, flat, form
from tests.guests.canonical_values import Value, Values

MAX_FLAT_PARAMS, MAX_FLAT_RESULTS = 16, 1
"""What travels as core values (`MAX_FLAT_PARAMS`, `MAX_FLAT_RESULTS`); more is in memory."""


@dataclass(frozen=True)
class Signature:
    """A function's parameters, as one tuple, and its result."""

    params: Members
    result: Form

    @classmethod
    def of(cls, model: Resolve, function: Function) -> Signature:
        """Returns the signature of a function, which has a result."""
        assert function.result is not None
        params = Members(tuple(form(model, param.type) for param in function.params))
        return cls(params, form(model, function.result))

    @property
    def spills(self) -> bool:
        """Whether the parameters travel in memory."""
        return len(flat(self.params)) > MAX_FLAT_PARAMS

    @property
    def returns_address(self) -> bool:
        """Whether the result travels in memory."""
        return len(flat(self.result)) > MAX_FLAT_RESULTS

    @property
    def cores(self) -> list[str]:
        """The core types of the parameters."""
        return ["i32"] if self.spills else flat(self.params)

    @property
    def imported(self) -> tuple[list[str], list[str]]:
        """The core type as the guest imports it."""
        if self.returns_address:
            return [*self.cores, "i32"], []
        return self.cores, flat(self.result)

    @property
    def exported(self) -> tuple[list[str], list[str]]:
        """The core type as the guest exports it."""
        return self.cores, ["i32"] if self.returns_address else flat(self.result)


class CoreHost:
    """One instance of a guest, which exports each function of an interface that it imports.

    Args:
        module: the guest's core module.
        interface: the interface's name.
        signatures: its functions.

    Attributes:
        called: the function that the guest called last.
        received: the arguments of that call.
        answer: what the host's functions return.
    """

    def __init__(self, module: bytes, interface: str, signatures: dict[str, Signature]) -> None:
        self.called = ""
        self.received: Value = None
        self.answer: Value = None
        self._interface, self._signatures = interface, signatures
        self._values = Values(self)
        engine = Engine()
        self._store = Store(engine)
        compiled = Module(engine, module)
        linker = self._linker(engine, compiled)
        self._exports = linker.instantiate(self._store, compiled).exports(self._store)
        if "_initialize" in self._exports:
            self._function("_initialize")(self._store)

    def call(self, name: str, arguments: tuple[Value, ...]) -> Value:
        """Calls an export, as `canon lift` does.

        Args:
            name: the function.
            arguments: its arguments.
        """
        signature, full = self._signatures[name], f"{self._interface}#{name}"
        function = self._function(full)
        assert _types(function.type(self._store)) == signature.exported
        if signature.spills:
            cores = [self._values.place(signature.params, arguments)]
        else:
            cores = self._values.lower(signature.params, arguments)
        returned = function(self._store, *_to_wasmtime(cores, signature.cores))
        answer = self._lift_result(signature, _bits(returned, *signature.exported[1]))
        if f"cabi_post_{full}" in self._exports:
            self._function(f"cabi_post_{full}")(self._store, returned)
        return answer

    def heap(self) -> int:
        """Returns how many bytes the guest has allocated."""
        return int(self._function("heap")(self._store))

    def read(self, at: int, length: int) -> bytes:
        """Returns bytes of the guest's memory."""
        assert at + length <= self._memory.data_len(self._store)
        return bytes(self._memory.read(self._store, at, at + length))

    def write(self, at: int, data: bytes) -> None:
        """Writes to the guest's memory."""
        self._memory.write(self._store, data, at)

    def allocate(self, align: int, length: int) -> int:
        """Returns the address of new memory, by the guest's `cabi_realloc`."""
        at = int(self._function("cabi_realloc")(self._store, 0, 0, align, length)) % (1 << 32)
        assert at % align == 0
        return at

    @property
    def _memory(self) -> Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, Memory)
        return memory

    def _function(self, name: str) -> Func:
        function = self._exports[name]
        assert isinstance(function, Func), f"the guest has no {name}"
        return function

    def _linker(self, engine: Engine, module: Module) -> Linker:
        linker = Linker(engine)
        for item in module.imports:
            assert item.module == self._interface
            type_, name = item.type, str(item.name)
            assert isinstance(type_, FuncType)
            assert _types(type_) == self._signatures[name].imported
            linker.define_func(item.module, name, type_, self._import(name))
        return linker

    def _import(self, name: str) -> Callable[..., int | float | None]:
        """Returns a function of the host as the guest calls it, as `canon lower` does."""
        signature = self._signatures[name]

        def called(*given: float) -> int | float | None:
            cores = [_bits(*pair) for pair in zip(given, signature.imported[0], strict=True)]
            params = signature.params
            self.called = name
            self.received = (
                self._values.load(params, cores[0])
                if signature.spills
                else self._values.lift(params, iter(cores))
            )
            if signature.returns_address:
                self._values.store(signature.result, self.answer, cores[-1])
                return None
            (result,) = _to_wasmtime(
                self._values.lower(signature.result, self.answer), signature.imported[1]
            )
            return result

        return called

    def _lift_result(self, signature: Signature, bits: int) -> Value:
        if signature.returns_address:
            return self._values.load(signature.result, bits)
        return self._values.lift(signature.result, iter([bits]))


def _types(type_: FuncType) -> tuple[list[str], list[str]]:
    return [str(param) for param in type_.params], [str(result) for result in type_.results]


_LAYOUTS = {"i32": "<i", "i64": "<q", "f32": "<f", "f64": "<d"}
"""Core values as wasmtime has them: its integers are signed."""


def _bits(value: float, core: str) -> int:
    return int.from_bytes(struct.pack(_LAYOUTS[core], value), "little")


def _to_wasmtime(cores: Sequence[int], types: Sequence[str]) -> list[int | float]:
    return [
        struct.unpack(_LAYOUTS[core], bits.to_bytes(WIDTHS[core] // 8, "little"))[0]
        for bits, core in zip(cores, types, strict=True)
    ]
