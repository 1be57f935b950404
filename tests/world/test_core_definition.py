"""Host functions of core modules: both ways to define them, and the choice between them."""

from __future__ import annotations

import ctypes
import gc
import logging
import struct
import threading

import pytest
from wasmtime import Engine, Func, FuncType, Linker, Module, Store, ValType, _ffi
from wasmtime_attestation.world import core_definition, core_direct, core_stock
from wasmtime_attestation.world.core_calls import Caller, Define
from wasmtime_attestation.world.host_calls import ShieldedLinker, call_guest
from wasmtime_attestation.world.legacy import link_legacy

from tests.world.core_guest import CoreGuest, forwarder
from tests.world.core_paths import PATHS
from tests.world.scripted_world import ScriptedWorld

ALL = [ValType.i32(), ValType.i64(), ValType.f32(), ValType.f64()]


def test_the_fast_way_is_chosen_with_this_wasmtime() -> None:
    assert core_direct.obstacle() is None
    assert core_definition.define is core_direct.define


def test_another_layout_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ffi, "wasmtime_memory_t", ctypes.c_uint64)
    assert core_direct.obstacle() == "wasmtime_memory_t is not 24 bytes large"


def test_an_obstacle_means_the_slow_way_and_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert core_definition._chosen("it has other sizes") is core_stock.define
    assert "it has other sizes" in caplog.text


def instance(define: Define, function: object, result: str, linker: Linker | None = None) -> Func:
    linker = linker or Linker(Engine())
    results = [getattr(ValType, result)()]
    define(linker, "h", "f", FuncType(ALL, results), function)  # type: ignore[arg-type]
    parameters = "(param i32 i64 f32 f64)"
    text = f"""(module
      (import "h" "f" (func $f {parameters} (result {result})))
      (func (export "f") {parameters} (result {result})
        (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
    """
    store = Store(linker.engine)
    found = linker.instantiate(store, Module(linker.engine, text)).exports(store)["f"]
    assert isinstance(found, Func)
    found.store = store  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(("result", "index"), [("i32", 0), ("i64", 1), ("f32", 2), ("f64", 3)])
@pytest.mark.parametrize(
    "values",
    [
        (0, 0, 0.0, 0.0),
        (-1, -1, -0.5, 0.1),
        (2**31 - 1, 2**63 - 1, 2.0**127, 1e308),
        (-(2**31), -(2**63), -(2.0**-149), -5e-324),
    ],
)
def test_every_core_type_both_ways(
    define: Define, result: str, index: int, values: tuple[float, ...]
) -> None:
    seen: list[tuple[float, ...]] = []

    def function(_caller: Caller, *arguments: float) -> float:
        seen.append(arguments)
        return arguments[index]

    called = instance(define, function, result)
    assert called(called.store, *values) == values[index]  # type: ignore[attr-defined]
    assert seen == [values]


@pytest.mark.parametrize("linker", [Linker, ShieldedLinker])
@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError, MemoryError])
def test_an_exception_comes_out_unchanged(
    define: Define, linker: type[Linker], kind: type[BaseException]
) -> None:
    raised = kind("now")

    def function(_caller: Caller, *_arguments: float) -> float:
        raise raised

    called = instance(define, function, "i32", linker(Engine()))
    with pytest.raises(kind) as caught:
        call_guest(called, called.store, 0, 0, 0.0, 0.0)  # type: ignore[attr-defined]
    assert caught.value is raised


@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
def test_a_result_of_another_type_ends_the_run(define: Define) -> None:
    called = instance(define, lambda _caller, *_arguments: "text", "i32")
    with pytest.raises((TypeError, struct.error)):
        called(called.store, 0, 0, 0.0, 0.0)  # type: ignore[attr-defined]


def test_a_function_is_forgotten_with_the_last_that_holds_it() -> None:
    before = set(core_direct._functions)
    called = instance(core_direct.define, lambda _caller, *_arguments: 1, "i32")
    (key,) = core_direct._functions.keys() - before
    gc.collect()
    assert called(called.store, 0, 0, 0.0, 0.0) == 1  # type: ignore[attr-defined]
    assert key in core_direct._functions
    del called
    gc.collect()
    assert key not in core_direct._functions


def test_each_thread_gets_its_own_exception() -> None:
    mixed: list[object] = []

    def run(number: int) -> None:
        def function(_caller: Caller, *_arguments: float) -> float:
            raise LookupError(number)

        called = instance(core_direct.define, function, "i32", ShieldedLinker(Engine()))
        for _ in range(200):
            with pytest.raises(LookupError) as caught:
                call_guest(called, called.store, 0, 0, 0.0, 0.0)  # type: ignore[attr-defined]
            if caught.value.args != (number,):
                mixed.append(caught.value.args)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []


@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
def test_the_world_is_linked_to_one_engine_after_another(define: Define) -> None:
    # A core type belongs to the engine that it was first used with; wasmtime aborts otherwise.
    for _ in range(3):
        engine = Engine()
        for _ in range(2):
            linker = Linker(engine)
            link_legacy(linker, ScriptedWorld(), define=define)
            CoreGuest(Module(engine, forwarder()), linker=linker).answer("detect_tee")
