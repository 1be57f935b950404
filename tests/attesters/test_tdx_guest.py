"""/dev/tdx_guest and the host's Quote Generation Service, whatever it answers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wasmtime_attestation.attesters import qgs
from wasmtime_attestation.errors import UnavailableError

from tests.attesters.collecting import TDX_GUEST, Collector
from tests.emulation.namespace import Namespace
from tests.emulation.qgs import QuoteGenerationService
from tests.emulation.tdx_guest import TdxGuest

REPORT_DATA = bytes(range(64))
IN_QUOTE = slice(48 + 520, 48 + 584)


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    with Namespace([TdxGuest(), QuoteGenerationService()]) as machine:
        yield machine


@pytest.fixture(scope="module")
def collector(machine: Namespace) -> Iterator[Collector]:
    with Collector(machine, TDX_GUEST) as collector:
        yield collector


def test_a_quote(machine: Namespace, collector: Collector) -> None:
    collected = collector.collect(REPORT_DATA)
    assert (collected.error, collected.type) == ("", "intel-tdx")
    assert collected.data[IN_QUOTE] == REPORT_DATA
    # Version 1.0, GetQuote, 24 bytes of header and sizes before the TDREPORT of 1,024; no ids.
    assert machine.notes("qgs") == ["1.0 0 1048 0 1024 0"]
    assert collector.info() == ("intel-tdx", True, "tdx-guest")


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ("hangup", "hung up before its answer was done"),
        ("cut", "hung up before its answer was done"),
        ("huge", "announces 1073741824 bytes"),
        ("error", "error 0x12001 (unexpected error)"),
        ("version", "in another format"),
        ("sizes", "contradicts its own sizes"),
        ("other", "does not carry the REPORT_DATA"),
    ],
)
def test_a_service_that_answers_something_else(
    machine: Namespace, collector: Collector, faults: str, message: str
) -> None:
    machine.tell("qgs", faults)
    collected = collector.collect(REPORT_DATA)
    assert (collected.error, collected.data) == ("UnavailableError", b"")
    assert message in collected.message
    assert collector.collect(REPORT_DATA).error == ""


def test_a_service_that_takes_its_time(machine: Namespace, collector: Collector) -> None:
    machine.tell("qgs", "bytes")
    assert collector.collect(REPORT_DATA).error == ""


@pytest.mark.parametrize(
    ("faults", "error", "message"),
    [
        ("EBUSY EBUSY EINTR", "", ""),
        ("EIO", "UnavailableError", "EIO: the TDX module made no TDREPORT"),
        ("ENOTTY", "UnavailableError", "its driver came before Linux 6.2"),
        ("ENODEV", "UnavailableError", "ENODEV: the device went away"),
    ],
)
def test_the_device_fails(
    machine: Namespace, collector: Collector, faults: str, error: str, message: str
) -> None:
    machine.tell("tdx-guest", faults)
    collected = collector.collect(REPORT_DATA)
    assert collected.error == error
    assert message in collected.message
    assert collector.collect(REPORT_DATA).error == ""


def test_no_device_and_no_service() -> None:
    with Namespace([QuoteGenerationService()]) as machine:
        with Collector(machine, TDX_GUEST) as collector:
            collected = collector.collect(REPORT_DATA)
            assert collector.info() == ("none", False, "")
        assert collected.error == "UnsupportedError"
        assert "modprobe tdx_guest" in collected.message
    with Namespace([TdxGuest(), QuoteGenerationService(None)]) as machine:
        with Collector(machine, TDX_GUEST) as collector:
            collected = collector.collect(REPORT_DATA)
        assert collected.error == "UnavailableError"
        assert "(vsock 2:4050): ECONNRESET: no service listens" in collected.message
        assert "use configfs-tsm" in collected.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"# the port\n port = 4051 # as the host has it\n", ""),
        (b"", "(vsock 2:4050)"),
        (b"port=none\n", "names no port of vsock: port='none'"),
        (b"port=4294967296\n", "names no port"),
        (b"x" * 5000, "cannot read /etc/tdx-attest.conf: EFBIG"),
    ],
)
def test_the_configured_port(text: bytes, message: str) -> None:
    emulations = [TdxGuest(), QuoteGenerationService(4051)]
    files = {"/etc/tdx-attest.conf": text}
    with Namespace(emulations, files=files) as machine, Collector(machine, TDX_GUEST) as collector:
        collected = collector.collect(REPORT_DATA)
        assert bool(collected.error) == bool(message)
        assert message in collected.message


def test_a_pipe_in_place_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "tdx-attest.conf"
    os.mkfifo(pipe)
    monkeypatch.setattr(qgs, "CONFIGURATION", pipe)
    with pytest.raises(UnavailableError, match="no regular file"):
        qgs.configured_port()


# As a C compiler lays out qgs_msg_get_quote_resp_t: version 1.1, type 1, size, error, then the
# sizes of an id and of a quote, and the quote.
ANSWER = bytes.fromhex("0100 0100 01000000 1c000000 00000000 00000000 04000000") + b"QUOT"


def test_every_cut_and_every_flip_of_an_answer() -> None:
    assert qgs.decode(ANSWER) == b"QUOT"
    for size in range(len(ANSWER)):
        with pytest.raises(UnavailableError):
            qgs.decode(ANSWER[:size])
    for bit in range(8 * len(ANSWER)):
        flipped = bytearray(ANSWER)
        flipped[bit // 8] ^= 1 << bit % 8
        if bit // 8 in (2, 3):  # the minor version says nothing about an answer
            assert qgs.decode(bytes(flipped)) == b"QUOT"
        elif bit // 8 >= 24:  # the quote itself
            assert qgs.decode(bytes(flipped)) == flipped[24:]
        else:
            with pytest.raises(UnavailableError):
                qgs.decode(bytes(flipped))


def test_a_service_that_hangs() -> None:
    """In bounded time, whether it says nothing or a byte now and then."""
    here, there = socket.socketpair()
    with there:
        begin = time.monotonic()
        with pytest.raises(UnavailableError, match="ETIMEDOUT: the service did not answer in time"):
            qgs.quote(bytes(1024), 0.3, lambda *_: here)
        assert time.monotonic() - begin < 2
        assert there.recv(4096)[:4] == (1048).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("number", "meaning"),
    [(97, "no vsock here"), (19, "gives this machine no vsock"), (1, "as in a container")],
)
def test_no_vsock(number: int, meaning: str) -> None:
    def refuse(port: int, seconds: float) -> socket.socket:
        del port, seconds
        raise OSError(number, "")

    with pytest.raises(UnavailableError, match=meaning):
        qgs.quote(bytes(1024), 1, refuse)
