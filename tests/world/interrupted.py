"""A process in which every host call of a guest raises; the last one ends the process.

Arguments: the ABI, the way its calls take, and what they raise.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from wasmtime_attestation.world import core_direct, core_stock, execution
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.legacy import link_legacy
from wasmtime_attestation.world.runtime import Runtime

from tests.world.commands import core
from tests.world.components import CANON, IMPORTS, command
from tests.world.core_guest import MODULE, PARAMETERS
from tests.world.scripted_world import ScriptedWorld

FUNCTIONS = {
    "detect-tee": ("attestation", 0, True),
    "attest-vm": ("attestation", 0, True),
    "attest-gpu": ("attestation", 1, True),
    "verify-token": ("attestation", 2, False),
    "clear-cache": ("attestation", 0, None),
    "gpus": ("attester", 0, True),
    "attest": ("attester", 10, True),
    "verify": ("verifier", 13, True),
}
"""The interface, how many flat parameters, and whether the result goes through memory."""


class ThreadDeath(BaseException):
    """What `PyThreadState_SetAsyncExc` raises in a thread that is to die."""


def component_guest(name: str) -> Guest:
    """Returns a component that calls one function, and fails if the call returns."""
    interface, flat, in_memory = FUNCTIONS[name]
    parameters = flat + (in_memory is True)
    outside = f"""{IMPORTS.replace("{v}", "0.1.0")}
    (alias export ${interface} "{name}" (func $f)) (core func $f (canon lower (func $f) {CANON}))
    (core instance $host (export "f" (func $f)))"""
    type_ = "(param i32)" * parameters + ("(result i32)" if in_memory is False else "")
    zeros = "(i32.const 0)" * flat + ("(i32.const 4096)" if in_memory else "")
    drop = "drop" if in_memory is False else ""
    imports = f'(import "host" "f" (func $f {type_}))'
    return Guest(
        "c.wasm", command(f"(call $f {zeros}) {drop} unreachable", outside=outside, imports=imports)
    )


_TARGET, _CHALLENGE = '{"case":"vm"}', '{"nonce":"AAECAwQFBgc"}'
_VALUES = {
    "attest_gpu": [0],
    "verify_token": [0, 0],
    "attest": [64, len(_TARGET), 128, len(_CHALLENGE)],
    "verify": [0, 0, 192, 2],
}


def core_guest(name: str) -> Guest:
    """Returns a core module that does the same."""
    legacy = name.replace("-", "_")
    count = PARAMETERS.get(legacy, 0)
    result = "(result i32)" if legacy in PARAMETERS else ""
    values = "".join(f"(i32.const {value})" for value in _VALUES.get(legacy, []))
    data = "".join(
        f'(data (i32.const {at}) "{text}")'
        for at, text in ((64, _TARGET), (128, _CHALLENGE), (192, "{}"))
        for text in (text.replace('"', '\\"'),)
    )
    imports = f'(import "{MODULE}" "{legacy}" (func $f {"(param i32)" * count} {result}))'
    return core(f"(call $f {values}) {'drop' if result else ''} unreachable", imports, data)


def die() -> None:
    """Has the thread that calls die, as another thread could."""
    number = ctypes.c_ulong(threading.get_ident())
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(ThreadDeath))
    while True:  # it comes between two instructions
        pass


class Raising(ScriptedWorld):
    """A world whose every function ends like this."""

    def __init__(self, end: Callable[[], None]) -> None:
        super().__init__()
        self._end = end
        self.entered = False

    def _answer(self, *_: Any) -> Any:  # noqa: ANN401 - it does not return
        self.entered = True
        self._end()


def raiser(error: type[BaseException]) -> Callable[[], None]:
    def end() -> None:
        raise error(3)

    return end


ENDS = {
    "KeyboardInterrupt": (raiser(KeyboardInterrupt), KeyboardInterrupt),
    "SystemExit": (raiser(SystemExit), SystemExit),
    "MemoryError": (raiser(MemoryError), MemoryError),
    "ThreadDeath": (die, ThreadDeath),
}


def main(abi: str, way: str, end: str) -> None:
    """Runs a guest for each function; prints how often what was raised came out."""
    if way == "stock":
        core_way = partial(link_legacy, define=core_stock.define)
        setattr(execution, "link_legacy", core_way)  # noqa: B010 - for mypy, it is a function
        setattr(execution, "link_component", partial(link_component, fast=False))  # noqa: B010
    make = component_guest if abi == "component" else core_guest
    raising, expected = ENDS[end]
    runtime, last = Runtime(), None
    for name in FUNCTIONS:
        world = Raising(raising)
        try:
            said = runtime.run(make(name), world).reason
        except expected as error:
            said, last = "entered" if world.entered else "not entered", error
        sys.stdout.write(f"{name} {said}\n")
    sys.stdout.write("blocked\n" if runtime.is_blocked() else "clean\n")
    sys.stdout.flush()
    if last is not None:
        raise last


if __name__ == "__main__":
    assert core_direct.obstacle() is None
    main(*sys.argv[1:])
