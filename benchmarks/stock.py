"""What a host function costs before it does anything: wasmtime-py with constant answers.

These functions have the types of the world's and move the same bytes, and
nothing else: no check, no service, no error handling.
"""

from __future__ import annotations

import json

from wasmtime import Caller, Engine, Func, FuncType, Linker, Memory, ValType, component
from wasmtime_attestation import wit


def component_linker(world: wit.World) -> component.Linker:
    """Returns a linker for components.

    Args:
        world: makes the answers, once.
    """
    info = _record(_tee_info(world))
    result = _record(_attestation_result(world))
    linker = component.Linker(Engine())
    with (
        linker.root() as root,
        root.add_instance("wasmtime:attestation/attestation@0.1.0") as instance,
    ):
        instance.add_func("detect-tee", lambda _store: info)
        instance.add_func("attest-vm", lambda _store: result)
        instance.add_func("verify-token", lambda _store, _token: True)
        instance.add_func("clear-cache", lambda _store: None)
    return linker


def octets_linker(content: bytes) -> component.Linker:
    """Returns a linker with functions that take and return `list<u8>`.

    Args:
        content: what one of them returns.
    """
    linker = component.Linker(Engine())
    with linker.root() as root, root.add_instance("benchmark:octets/octets") as instance:
        instance.add_func("take", lambda _store, _content: None)
        instance.add_func("give", lambda _store: content)
    return linker


def _tee_info(world: wit.World) -> dict[str, object]:
    info = world.detect_tee()
    return {
        "tee-type": str(info.tee_type),
        "supports-attestation": info.supports_attestation,
        "provider": info.provider,
        "gpu-count": info.gpu_count,
    }


def _attestation_result(world: wit.World) -> dict[str, object]:
    result = world.attest_vm()
    return {
        "token": result.token,
        "evidence": result.evidence,
        "timestamp": result.timestamp,
        "tee-type": str(result.tee_type),
    }


def _record(fields: dict[str, object]) -> component.Record:
    record = component.Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def core_linker(world: wit.World) -> Linker:
    """Returns a linker for core modules.

    Args:
        world: makes the answers, once.
    """
    linker, i32 = Linker(Engine()), ValType.i32()
    _define_answer(linker, "detect_tee", _json(_tee_info(world)))
    _define_answer(linker, "attest_vm", _json({"success": True, **_attestation_result(world)}))
    type_ = FuncType([i32, i32], [i32])
    linker.define_func(
        "wasmtime_attestation", "verify_token", type_, _read_token, access_caller=True
    )
    linker.define_func("wasmtime_attestation", "clear_cache", FuncType([], []), lambda: None)
    return linker


def _json(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _define_answer(linker: Linker, name: str, answer: bytes) -> None:
    block = len(answer).to_bytes(4, "little") + answer

    def place(caller: Caller) -> int:
        memory, realloc = caller["memory"], caller["cabi_realloc"]
        assert isinstance(memory, Memory)
        assert isinstance(realloc, Func)
        address: int = realloc(caller, 0, 0, 1, len(block))
        memory.write(caller, block, address)
        return address

    type_ = FuncType([], [ValType.i32()])
    linker.define_func("wasmtime_attestation", name, type_, place, access_caller=True)


def _read_token(caller: Caller, pointer: int, length: int) -> int:
    memory = caller["memory"]
    assert isinstance(memory, Memory)
    return int(memory.read(caller, pointer, pointer + length).isascii())
