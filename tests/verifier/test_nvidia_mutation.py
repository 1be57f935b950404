"""Every flip of a bit and every cut of a report, a chain or a manifest is rejected.

Sampled here; the weekly tests try every bit.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator

import pytest
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.verifier import rim
from wasmtime_attestation.verifier.rim import Wanted

from tests import vectors
from tests.fakes import nvidia_rim
from tests.fakes.nvidia import AT, BLACKWELL, HOPPER, SWITCH, Device
from tests.verifier.nvidia_verification import verify
from tests.verifier.test_nvidia_real import CHAIN, DEVICE_DAY, DRIVER, VBIOS, hopper

RIMS = {
    HOPPER.chip: nvidia_rim.endorsements(),
    BLACKWELL.chip: nvidia_rim.endorsements(*nvidia_rim.BLACKWELL),
    SWITCH.chip: nvidia_rim.endorsements(*nvidia_rim.SWITCH),
}
DEVICES = pytest.mark.parametrize("device", [HOPPER, BLACKWELL, SWITCH], ids=lambda d: d.chip)
STEP = 431
"""Bits between two that are tried: a prime, so that every bit of a byte has its turn."""


def flips(data: bytes, step: int) -> Iterator[bytes]:
    for bit in range(0, 8 * len(data), step):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << (bit % 8)
        yield bytes(flipped)


def accepted(attempts: Iterable[bytes], attempt: Callable[[bytes], object]) -> list[bytes]:
    """Returns what is accepted; every refusal is one of the project's own."""
    good = []
    for data in attempts:
        try:
            attempt(data)
        except (RejectedError, InvalidArgumentError):
            continue
        good.append(data)
    return good


@DEVICES
def test_flips_of_a_report(device: Device) -> None:
    given = device.endorsements() + RIMS[device.chip]
    report = device.report()
    verify(report, given)

    assert accepted(flips(report, STEP), lambda data: verify(data, given)) == []


@DEVICES
def test_cuts_of_a_report(device: Device) -> None:
    given = device.endorsements() + RIMS[device.chip]
    report = device.report()
    cuts = (report[:size] for size in range(0, len(report), 37))

    assert accepted(cuts, lambda data: verify(data, given)) == []


def _document(report: bytes, chain: bytes) -> bytes:
    return b'[{"evidence":"%s","certificate":"%s"}]' % (
        base64.b64encode(report),
        base64.b64encode(chain),
    )


def _verify_document(report: bytes, chain: bytes, rims: Endorsements, anchors: Anchors) -> None:
    pieces = recognise(_document(report, chain))
    assert not isinstance(pieces, Token)
    (piece,) = pieces
    own = Endorsements.of_raw(piece.endorsements)
    verify(piece.data, own + rims, at=DEVICE_DAY, anchors=anchors)


def real_chain(step: int) -> list[bytes]:
    """Flips the text of a real chain."""
    report, chain, anchors = hopper(), vectors.read(CHAIN), Anchors.of_vendors()
    rims = vectors.endorsements(DRIVER, VBIOS)

    def attempt(text: bytes) -> None:
        try:
            _verify_document(report, text, rims, anchors)
        except ValueError as error:
            # Embedded, a certificate that cannot be read is evidence.endorsements.
            raise RejectedError.of("nvidia.device-chain", str(error)) from error

    attempt(chain)
    return accepted(flips(chain, step), attempt)


def test_flips_of_a_real_chains_text() -> None:
    assert real_chain(809) == []


def real_manifest(step: int) -> list[bytes]:
    """Flips a real manifest, within and beside what is signed."""
    manifest = vectors.read(DRIVER)
    wanted = Wanted("nvidia.driver-rim", "the manifest", "550.90.07", "GH100")

    def attempt(data: bytes) -> None:
        rims, ledger = Endorsements.from_files([("manifest", data)]).rims, Ledger()
        found = rim.candidates(wanted, rims, ledger)
        if not found:
            raise RejectedError.of(wanted.check, "it is of another version")
        rim.verify(wanted, found, Anchors.of_vendors(), DEVICE_DAY, ledger)

    attempt(manifest)
    return accepted(flips(manifest, step), attempt)


def test_flips_of_a_real_manifest() -> None:
    assert real_manifest(1009) == []


def test_cuts_of_a_manifest() -> None:
    xml = nvidia_rim.DRIVER.xml()
    cuts = (xml[:size] for size in range(0, len(xml), 61))

    assert accepted(cuts, lambda data: Endorsements.from_files([("cut", data)])) == []


@pytest.mark.weekly
@DEVICES
def test_every_flip_and_every_cut_of_a_report(device: Device) -> None:
    given = device.endorsements() + RIMS[device.chip]
    report = device.report()
    cuts = (report[:size] for size in range(len(report)))

    assert accepted(flips(report, 1), lambda data: verify(data, given)) == []
    assert accepted(cuts, lambda data: verify(data, given)) == []


@pytest.mark.weekly
def test_every_flip_of_a_real_report() -> None:
    given = vectors.endorsements(CHAIN, DRIVER, VBIOS)

    def attempt(data: bytes) -> None:
        verify(data, given, at=DEVICE_DAY, anchors=Anchors.of_vendors())

    attempt(hopper())
    assert accepted(flips(hopper(), 1), attempt) == []


@pytest.mark.weekly
def test_every_flip_of_a_real_chains_text() -> None:
    assert real_chain(1) == []


@pytest.mark.weekly
def test_every_flip_of_a_real_manifest() -> None:
    assert real_manifest(1) == []


def test_a_changed_tail_changes_nothing_but_the_report_of_it() -> None:
    plain, tailed = verify(HOPPER.report(), at=AT).gpu, verify(HOPPER.report() + b"x", at=AT).gpu

    assert (plain.trailing_bytes, tailed.trailing_bytes) == (0, 1)
    assert plain.ueid == tailed.ueid
