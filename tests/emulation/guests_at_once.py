"""Runs many guests of both ABIs at once, in one host, each in a thread of its own.

    python -m tests.emulation.guests_at_once COUNT

prints a line of JSON: the exit codes, 0 where the guest got a token, and the seconds it all took.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.select import DetectedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.runtime import Guest, Runtime

from tests.world.commands import CLEAR, CLEAR_IMPORTS, WORLD, component, core

# The envelope begins with {"success":true, four bytes of length before it.
_LEGACY = """
(call $exit (i32.or
  (i64.ne (i64.load offset=4 (local.tee $answer (call $attest))) (i64.const {start}))
  (i64.ne (i64.load offset=12 (local.get $answer)) (i64.const {rest}))))
"""
_IMPORTS = f"""
(import {WORLD} "attest_vm" (func $attest (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
"""
# The result begins with 0 for ok.
_COMPONENT = "(call $vm (i32.const 64)) (i32.load8_u (i32.const 64))"


def guests(count: int) -> list[Guest]:
    """Returns guests that differ, so that no token serves two; half of them are core modules."""
    kinds = (_core(), component(_COMPONENT, CLEAR, CLEAR_IMPORTS))
    return [_with_section(kinds[index % 2], index) for index in range(count)]


def _core() -> Guest:
    start, rest = (int.from_bytes(text, "little") for text in (b'{"succes', b's":true,'))
    body = _LEGACY.format(start=start, rest=rest)
    return core(f"(local $answer i32) {body}", _IMPORTS)


def _with_section(guest: Guest, index: int) -> Guest:
    """Appends a custom section of the name x with a number."""
    return Guest(guest.name, guest.wasm + bytes([0, 3, 1, ord("x"), index]))


def main() -> None:
    """Runs them."""
    service = AttestationService(
        Machine(DetectedAttester()), Settings(Anchors.of_vendors()), time.time
    )
    runtime = Runtime()
    all_guests = guests(int(sys.argv[1]))
    codes = [-1] * len(all_guests)
    for guest in all_guests:
        runtime.compile(guest)

    def run(index: int, guest: Guest) -> None:
        codes[index] = runtime.run(guest, service.for_guest(guest.digest)).exit_code

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(all_guests)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer = {"codes": codes, "seconds": time.monotonic() - begin}
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    main()
