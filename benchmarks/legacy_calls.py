"""Measures what a core module's calls of its host cost, beside wasmtime-py without this project.

The stock functions have the types of the world's and move the same bytes, and
nothing else: no check, no service, no error handling.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from wasmtime import Caller, Engine, Func, FuncType, Linker, Memory, ValType
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world import _generated_legacy, core_definition, core_stock
from wasmtime_attestation.world.core_calls import Define
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.host_calls import ShieldedLinker
from wasmtime_attestation.world.legacy import IMPORT_MODULE, link_legacy

from benchmarks.guest import CoreGuest
from benchmarks.timing import Batch, Effort, measure, print_machine, print_table

CALLS = ("detect-tee", "attest-vm")
"""Both answer what the host has at hand: what it detected at start, and a cached token."""


def main() -> None:
    """Measures and prints the table."""
    effort = Effort.chosen(__doc__)
    world = _world()
    guests = {
        "ours": _guest(world, core_definition.define),
        "ours, slow path": _guest(world, core_stock.define),
        "stock": CoreGuest(stock_linker(world)),
    }
    spent = measure(dict(_batches(guests)), effort)
    print_table(("call", "path", "µs", "stock / this"), list(_rows(spent)))
    print_machine("wasmtime")


def stock_linker(world: wit.World) -> Linker:
    """Returns a linker for core modules whose answers are constant.

    Args:
        world: makes the answers, once.
    """
    linker, i32 = Linker(Engine()), ValType.i32()
    for function in _generated_legacy.functions(world, world, world):
        if function.name in ("detect_tee", "attest_vm") and function.write is not None:
            _define_answer(linker, function.name, function.write(function.call()).encode())
    type_ = FuncType([i32, i32], [i32])
    linker.define_func(IMPORT_MODULE, "verify_token", type_, _read_token, access_caller=True)
    return linker


def _world() -> wit.World:
    attester = SimulatedAttester(int(time.time()))
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    service = AttestationService(attester, Settings(anchors), time.time)
    return service.for_guest(Guest("benchmark", CoreGuest.wasm).digest)


def _guest(world: wit.World, define: Define) -> CoreGuest:
    linker = ShieldedLinker(Engine())
    link_legacy(linker, world, define=define)
    return CoreGuest(linker)


def _batches(guests: Mapping[str, CoreGuest]) -> Iterator[tuple[tuple[str, str], Batch]]:
    for call in CALLS:
        for path, guest in guests.items():
            yield (call, path), _loop(guest, call)


def _loop(guest: CoreGuest, call: str) -> Batch:
    return Batch(lambda calls: guest.loop(call, calls))


def _rows(spent: Mapping[tuple[str, str], float]) -> Iterator[tuple[str, str, float, float]]:
    for (call, path), time_ in spent.items():
        yield call, path, time_, spent[call, "stock"] / time_


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
    linker.define_func(IMPORT_MODULE, name, type_, place, access_caller=True)


def _read_token(caller: Caller, pointer: int, length: int) -> int:
    memory = caller["memory"]
    assert isinstance(memory, Memory)
    return int(memory.read(caller, pointer, pointer + length).isascii())


if __name__ == "__main__":
    main()
