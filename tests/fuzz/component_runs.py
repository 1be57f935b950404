"""One random component that imports the world, run on both paths of values: they must agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker
from wasmtime_attestation.errors import DeniedError
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.host_calls import call_guest

from tests.fuzz.choices import Choices
from tests.hostile.edges import U32
from tests.world.components import CANON, FUNCTIONS, IMPORTS
from tests.world.core_guest import PAGE
from tests.world.scripted_world import ScriptedWorld

FUEL = 3_000_000
MOST_MEMORY = 4 << 20
_DATA = (b"token", b"\xff\xfe", b"12345678", "é".encode(), b"\xed\xa0\x80", b"", b"\xf0\x9f")
_RESULTS = 2048
_BUMP = """
(global.set $next (i32.add (global.get $next)
  (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))
(i32.sub (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))
"""
_REALLOCS = (
    _BUMP,
    "(i32.const 8192)",
    "(i32.const 8193)",
    "(i32.const 0)",
    "(i32.const -8)",
    "(i32.const 65536)",
    "unreachable",
    "(loop $again (br $again)) (i32.const 0)",
    "(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))",
    "(i32.const 2048)",
)


@dataclass
class Transcript:
    """What a run did, as far as a guest and the world can see."""

    asked: list[str] = field(default_factory=list)
    end: str = ""


def _engine() -> Engine:
    config = Config()
    config.consume_fuel = True
    return Engine(config)


_ENGINE = _engine()


def run(data: bytes) -> Transcript:
    """Builds a component from bytes and runs it.

    Raises:
        AssertionError: the two paths differ.
    """
    text = component(data)
    compiled = Component(_ENGINE, text)
    fast, stock = (_run(compiled, fast=fast) for fast in (True, False))
    assert fast == stock, (text, fast, stock)
    return fast


def component(data: bytes) -> str:
    """Returns a component made of the choices that some bytes make."""
    choices = Choices(data)
    realloc = choices.of(_REALLOCS) if choices.below(3) == 1 else _REALLOCS[0]
    calls = "\n".join(_call(choices) for _ in range(1 + choices.below(10)))
    lowered, names, imports = [], [], []
    for name, interface, flat, indirect, _ in FUNCTIONS:
        lowered.append(
            f'(alias export ${interface} "{name}" (func ${name}))'
            f"(core func ${name} (canon lower (func ${name}) {CANON}))"
        )
        names.append(f'(export "{name}" (func ${name}))')
        result = "(result i32)" if indirect is False else ""
        count = flat + bool(indirect)
        imports.append(f'(import "h" "{name}" (func ${name} {"(param i32)" * count} {result}))')
    buffers = "".join(
        f'(data (i32.const {512 + 64 * i}) "{"".join(f"{chr(92)}{b:02x}" for b in buffer)}")'
        for i, buffer in enumerate(_DATA)
    )
    return f"""(component {IMPORTS.replace("{v}", "0.1.0")}
    (core module $Space (memory (export "memory") 1) (global $next (mut i32) (i32.const 8192))
      {buffers}
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
    (core instance $space (instantiate $Space))
    (alias core export $space "memory" (core memory $memory))
    (alias core export $space "realloc" (core func $realloc))
    {"".join(lowered)} (core instance $host {"".join(names)})
    (core module $Main (import "space" "memory" (memory 1)) {"".join(imports)}
      (func (export "run") (result i32) (local $at i32) (local $sum i32)
        {calls}
        (loop $next
          (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31))
            (i32.load (local.get $at))))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4)))
            (i32.const {PAGE}))))
        (local.get $sum)))
    (core instance $main (instantiate $Main (with "h" (instance $host))
      (with "space" (instance $space))))
    (alias core export $main "run" (core func $run))
    (func $lifted (result u32) (canon lift (core func $run)))
    (export "run" (func $lifted)))"""


def _call(choices: Choices) -> str:
    name, _, flat, indirect, _ = choices.of(FUNCTIONS)
    given = [_number(choices) for _ in range(flat)]
    if flat > 1 and choices.likely(4):
        given = _right(name, choices)
    if indirect:
        given.append(_RESULTS if choices.likely(4) else _number(choices))
    call = f"(call ${name} {' '.join(f'(i32.const {number})' for number in given)})"
    return f"(drop {call})" if indirect is False else call


def _right(name: str, choices: Choices) -> list[int]:
    """Returns arguments that are nearly right: a pointer may lead to bytes that are not UTF-8."""
    index = choices.below(len(_DATA))
    pair = [512 + 64 * index, len(_DATA[index])]
    if name == "verify-token":
        return pair
    option = [choices.below(2), *pair]
    if name == "attest":
        return [choices.below(3), 0, *pair, *option, *option]
    seconds = [choices.below(2), choices.u32()]
    return [*pair, *option, *option, *seconds, *option]


def _number(choices: Choices) -> int:
    bases = (0, 1, 512, 2048, PAGE, U32, 1 << 31, choices.u32())
    return (choices.of(bases) + choices.below(5) - 2) % U32


class _World(ScriptedWorld):
    def _answer(self, answer: Any, *call: object) -> Any:  # noqa: ANN401 - as what it overrides
        super()._answer(answer, *call)
        if len(self.calls) % 4 == 3:
            raise DeniedError("not now")
        return answer


def _run(compiled: Component, *, fast: bool) -> Transcript:
    world, transcript = _World(), Transcript()
    with Linker(_ENGINE) as linker, Store(_ENGINE) as store:
        link_component(linker, world, fast=fast)
        store.set_fuel(FUEL)
        store.set_limits(memory_size=MOST_MEMORY)
        try:
            instance = call_guest(linker.instantiate, store, compiled)
            transcript.end = str(call_guest(instance.get_func(store, "run"), store))
        except WasmtimeError as error:
            transcript.end = str(error).partition("Caused by:")[2].strip() or str(error)
    transcript.asked = list(map(repr, world.calls))
    return transcript
