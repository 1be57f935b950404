"""What a core module says of itself (WebAssembly core, "Binary Format", "Modules")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.component_type.values import section
from wasmtime_attestation_bindgen.errors import ModuleError

LARGEST_MODULE = 64 * 2**20
"""Bytes; a Python interpreter with its standard library takes about 20 MiB."""

_MAGIC = b"\0asm"
_MODULE, _COMPONENT = b"\1\0\0\0", b"\x0d\0\1\0"
_CUSTOM, _TYPES, _IMPORTS, _FUNCTIONS, _EXPORTS = 0, 1, 2, 3, 7
_FUNCTION_TYPE, _FUNCTION, _MEMORY = 0x60, 0x00, 0x02
_COMPONENT_TYPE = "component-type"
_VALUE_TYPES = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}

CoreFunction: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""A function's core parameters and results."""


@dataclass(slots=True)
class CoreModule:
    """A core module, as far as making a component of it needs to know.

    Attributes:
        data: the module without its `component-type` sections.
        payloads: the contents of those sections, with the sections' names.
        imports: the type of each function that it imports, by module and name.
        functions: the type of each function that it exports, by name.
        memories: the names of the memories that it exports.
    """

    data: bytes
    payloads: list[tuple[str, bytes]] = field(default_factory=list)
    imports: dict[tuple[str, str], CoreFunction] = field(default_factory=dict)
    functions: dict[str, CoreFunction] = field(default_factory=dict)
    memories: set[str] = field(default_factory=set)


def read_module(data: bytes) -> CoreModule:
    """Returns what a core module says of itself.

    Raises:
        ModuleError: it is no core module, too large, or imports something
            else than functions.
        WitError: it is malformed.
    """
    if len(data) > LARGEST_MODULE:
        raise ModuleError(f"the module has more than {LARGEST_MODULE} bytes")
    if data[:8] == _MAGIC + _COMPONENT:
        raise ModuleError("this is a component already", help="give the core module")
    if data[:8] != _MAGIC + _MODULE:
        raise ModuleError("this is no WebAssembly module")
    return _Sections(data).read()


class _Sections:
    def __init__(self, data: bytes) -> None:
        self._reader = Reader("the module", data)
        self._kept = bytearray(self._reader.take(8))
        self._module = CoreModule(b"")
        self._types: list[CoreFunction] = []
        self._functions: list[CoreFunction] = []

    def read(self) -> CoreModule:
        while not self._reader.done:
            code = self._reader.byte()
            contents = self._reader.take(self._reader.u32())
            self._section(code, contents)
        self._module.data = bytes(self._kept)
        return self._module

    def _section(self, code: int, contents: bytes) -> None:
        reader = Reader("the module", contents)
        if code == _CUSTOM:
            name = reader.text()
            if name.startswith(_COMPONENT_TYPE):
                self._module.payloads.append((name, contents[reader.position :]))
                return
        self._kept += section(code, contents)
        read = {
            _TYPES: self._type,
            _IMPORTS: self._import,
            _FUNCTIONS: self._function,
            _EXPORTS: self._export,
        }.get(code)
        if read is not None:
            for _ in range(reader.count()):
                read(reader)

    def _type(self, reader: Reader) -> None:
        if reader.byte() != _FUNCTION_TYPE:
            raise reader.error("a type is no plain function type; other types are not supported")
        params = tuple(self._value_type(reader) for _ in range(reader.count()))
        results = tuple(self._value_type(reader) for _ in range(reader.count()))
        self._types.append((params, results))

    def _value_type(self, reader: Reader) -> str:
        code = reader.byte()
        if code not in _VALUE_TYPES:
            raise reader.error(f"the value type {code:#04x} is not supported")
        return _VALUE_TYPES[code]

    def _type_at(self, reader: Reader) -> CoreFunction:
        index = reader.u32()
        if index >= len(self._types):
            raise reader.error(f"there is no type {index}")
        return self._types[index]

    def _import(self, reader: Reader) -> None:
        module, name = reader.text(), reader.text()
        if reader.byte() != _FUNCTION:
            raise ModuleError(
                f"the module imports {name!r} from {module!r}, which is no function",
                help="a component gives a module functions only; build the module so that it "
                "defines its own memory, tables and globals",
            )
        type_ = self._type_at(reader)
        if self._module.imports.setdefault((module, name), type_) != type_:
            raise ModuleError(f"the module imports {name!r} from {module!r} with two types")
        self._functions.append(type_)

    def _function(self, reader: Reader) -> None:
        self._functions.append(self._type_at(reader))

    def _export(self, reader: Reader) -> None:
        name, kind, index = reader.text(), reader.byte(), reader.u32()
        if kind == _MEMORY:
            self._module.memories.add(name)
        elif kind == _FUNCTION:
            if index >= len(self._functions):
                raise reader.error(f"there is no function {index}")
            self._module.functions[name] = self._functions[index]
