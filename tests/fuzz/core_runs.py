"""One random core module, run in both ways that host functions are defined: they must agree."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from wasmtime import (
    Config,
    Engine,
    Func,
    FuncType,
    Global,
    Linker,
    Memory,
    Module,
    Store,
    Trap,
    WasmtimeError,
)
from wasmtime._instance import InstanceExports
from wasmtime_attestation.errors import DeniedError
from wasmtime_attestation.world.core_calls import Caller, Define, HostFunction
from wasmtime_attestation.world.host_calls import call_guest
from wasmtime_attestation.world.legacy import link_legacy

from tests.fuzz import core_modules
from tests.fuzz.core_modules import LOG, Made
from tests.hostile.edges import FUNCTIONS, SIGN
from tests.world.core_paths import PATHS
from tests.world.scripted_world import ScriptedWorld

FUEL = 200_000
MOST_MEMORY = 16 << 20


def _engine() -> Engine:
    config = Config()
    config.consume_fuel = True
    config.wasm_memory64 = True
    # Memory moves whenever it grows.
    config.memory_reservation = config.memory_reservation_for_growth = 0
    config.memory_guard_size = 0
    return Engine(config)


_ENGINE = _engine()


@dataclass
class Transcript:
    """What a run did, as far as a guest, its host and the world can see."""

    asked: list[str] = field(default_factory=list)
    answered: list[object] = field(default_factory=list)
    end: str = ""
    results: list[int] = field(default_factory=list)
    memory: str = ""


def run(data: bytes) -> Transcript:
    """Builds a module from bytes and runs it.

    Raises:
        AssertionError: the host did to the guest what it may not do, or its two ways differ.
    """
    made = core_modules.module(data)
    module = Module(_ENGINE, made.text)
    direct, stock = (_run(module, made, define) for define in PATHS.values())
    assert direct == stock, (made.text, direct, stock)
    return direct


class _World(ScriptedWorld):
    """A world that refuses now and then."""

    def __init__(self) -> None:
        super().__init__(accepted="token")
        self.transcript = Transcript()

    def _answer(self, answer: Any, *call: object) -> Any:  # noqa: ANN401 - as what it overrides
        self.transcript.asked.append(repr(call))
        if len(self.transcript.asked) % 5 == 4 and call[0] not in ("verify_token", "clear_cache"):
            raise DeniedError("not now")
        return super()._answer(answer, *call)


def _run(module: Module, made: Made, define: Define) -> Transcript:
    world = _World()
    transcript = world.transcript
    with Linker(_ENGINE) as linker, Store(_ENGINE) as store:
        link_legacy(linker, world, define=_watched(define, made, transcript))
        store.set_fuel(FUEL)
        store.set_limits(memory_size=MOST_MEMORY)
        try:
            instance = call_guest(linker.instantiate, store, module)
            exports = instance.exports(store)
            function = exports["run"]
            assert isinstance(function, Func)
            call_guest(function, store)
        except (Trap, WasmtimeError) as error:
            transcript.end = str(error).partition("Caused by:")[2].strip() or str(error)
        else:
            _look(transcript, exports, store)
    return transcript


def _watched(define: Define, made: Made, transcript: Transcript) -> Define:
    """Returns a way to define host functions that looks at the guest's memory before and after."""
    depth = [0]

    def watching(
        linker: Linker, module: str, name: str, type_: FuncType, function: HostFunction
    ) -> None:
        def call(caller: Caller, *arguments: int) -> float | None:
            before = _copy(caller)
            depth[0] += 1
            try:
                result = function(caller, *arguments)
            finally:
                depth[0] -= 1
            transcript.answered.append((name, arguments, result))
            assert not depth[0] or not result, (made.text, name, "answered while it allocates")
            _check(made, name, before, _copy(caller), int(result or 0))
            return result

        define(linker, module, name, type_, call)

    return watching


def _copy(caller: Caller) -> bytes:
    memory = caller.memory()
    return b"" if memory is None else memory.read(0, memory.size())


def _check(made: Made, name: str, before: bytes, after: bytes, result: int) -> None:
    """Checks that an answer is whole, and that nothing else was written."""
    start = end = 0
    if FUNCTIONS[name].answers and result:
        assert 0 < result < SIGN, (made.text, name, result)
        start = result
        end = start + 4 + int.from_bytes(after[start : start + 4], "little")
        assert start + 4 < end <= len(after), (made.text, name, result)
        json.loads(after[start + 4 : end])
    if made.is_quiet:
        written = after[:start] + before[start:end] + after[end:]
        assert written[: len(before)] == before, (made.text, name, result)
        assert not any(written[max(len(before), end) :]), (made.text, name, result)


def _look(transcript: Transcript, exports: InstanceExports, store: Store) -> None:
    """Notes what is left of a run."""
    for number in range(LOG):
        result = exports[f"r{number}"]
        assert isinstance(result, Global)
        transcript.results.append(result.value(store))
    memory = exports.get("memory")
    if isinstance(memory, Memory):
        data = memory.read(store, 0, memory.data_len(store))
        transcript.memory = hashlib.sha256(data).hexdigest()
