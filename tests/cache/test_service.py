"""Guests that ask a host at once: one collection, and to each its own token."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import TeeInfo

from tests.fakes.amd import MILAN, real_anchors
from tests.fakes.host import GUEST, Clock

INTERRUPTED = """
import signal, sys, threading, time
from wasmtime_attestation.cache.tokens import TokenCache
from tests.cache.keys import EVIDENCE, kept
cache, begun = TokenCache(lambda: 1000), threading.Event()
def hang():
    begun.set()
    print("begun", flush=True)
    time.sleep(60)
def follow():
    begun.wait()
    print(cache.token(EVIDENCE, kept).token, flush=True)
follower = threading.Thread(target=follow)
follower.start()
try:
    cache.token(EVIDENCE, hang)
except KeyboardInterrupt:
    follower.join(20)
    print("interrupted", len(cache), flush=True)
"""


class Counted:
    """A machine that counts, and waits until it is told to go on."""

    def __init__(self) -> None:
        self.count = 0
        self.may_end = threading.Event()

    def info(self) -> TeeInfo:
        return MILAN.info()

    def collect(self, report_data: bytes) -> Evidence:
        self.count += 1
        assert self.may_end.wait(60)
        return MILAN.collect(report_data)


def test_a_thousand_calls_of_one_guest_collect_once_and_of_three_thrice() -> None:
    machine = Counted()
    service = AttestationService(Machine(machine), Settings(real_anchors()), Clock())
    guests = [GUEST, hashlib.sha256(b"second").digest(), None]
    worlds = [service.for_guest(guests[number % 3]) for number in range(1000)]
    with ThreadPoolExecutor(1000) as pool:
        asked = [pool.submit(world.attest_vm) for world in worlds]
        threading.Timer(0.5, machine.may_end.set).start()
        tokens = [each.result(60).token for each in asked]
    assert machine.count == 3
    assert len(set(tokens)) == 3
    assert len({tokens[0], tokens[3], tokens[999]}) == 1


def test_ctrl_c_frees_those_who_wait() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().split() == ["ours", "interrupted", "1"]
    assert process.returncode == 0
