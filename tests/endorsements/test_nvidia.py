"""What a device's certificates say: chip, architecture, and what its firmware was measured as."""

from __future__ import annotations

import pytest
from cryptography import x509
from wasmtime_attestation.endorsements import nvidia
from wasmtime_attestation.endorsements.nvidia import Architecture

from tests import vectors
from tests.fakes.intel import integer, tlv
from tests.fakes.nvidia import (
    BLACKWELL,
    DEVICE_ID,
    HOPPER,
    SWITCH,
    TCB_INFO,
    device_id,
    fwid_value,
    tcb_info,
)

FWID = bytes(range(48))


def leaf(oid: str, value: bytes) -> x509.Certificate:
    return HOPPER.chain({oid: value})[0]


@pytest.mark.parametrize("device", [HOPPER, BLACKWELL, SWITCH], ids=lambda device: device.chip)
def test_the_firmware_that_the_leaf_was_made_for(device: object) -> None:
    assert isinstance(device, type(HOPPER))
    assert nvidia.fwid(device.chain()[0]) == device.fwid
    assert nvidia.is_device_leaf(device.chain()[0])
    assert not nvidia.is_device_leaf(device.chain()[1])


def test_the_first_fwid_counts() -> None:
    assert nvidia.fwid(leaf(TCB_INFO, tcb_info(FWID, bytes(48)))) == FWID


def test_a_leaf_may_say_nothing() -> None:
    assert nvidia.fwid(HOPPER.chain({})[0]) is None


@pytest.mark.parametrize(
    ("oid", "value", "says"),
    [
        (DEVICE_ID, device_id(HOPPER.key(), FWID, version=2), "not of version 1"),
        (DEVICE_ID, device_id(HOPPER.key(), FWID[:47]), "has 47 bytes"),
        (DEVICE_ID, tlv(0x30, integer(1), fwid_value(FWID)), "three parts"),
        (DEVICE_ID, device_id(HOPPER.key(), FWID) + b"\0", "follow a DER value"),
        (
            DEVICE_ID,
            tlv(0x30, integer(1), tlv(0x30), fwid_value(FWID, "2.16.840.1.101.3.4.2.1")),
            "no SHA-384 digest",
        ),
        (DEVICE_ID, b"", "cut off"),
        (TCB_INFO, tcb_info(), "has no FWIDs"),
        (TCB_INFO, tlv(0x30, tlv(0xA6)), "empty list of FWIDs"),
        (TCB_INFO, tlv(0x30, tlv(0xA6, fwid_value(FWID)), tlv(0x80, b"N")), "not in order"),
        (TCB_INFO, tlv(0x30, *[tlv(0xA6, fwid_value(FWID))] * 2), "not in order"),
        (TCB_INFO, tlv(0x30, tlv(0x06, b"N")), "not in order"),
        (TCB_INFO, fwid_value(FWID), "not in order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_an_extension_is_said(oid: str, value: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        nvidia.fwid(leaf(oid, value))


@pytest.mark.parametrize(
    ("model", "chip", "architecture"),
    [
        ("GH100 A01 GSP BROM", "GH100", Architecture.HOPPER),
        ("GB100 A01 GSP BROM", "GB100", Architecture.BLACKWELL),
        ("GB202 A01 GSP BROM", "GB202", Architecture.BLACKWELL),
        ("LS_10 A01 FSP BROM", "LS_10", Architecture.LS10),
    ],
)
def test_chips(model: str, chip: str, architecture: Architecture) -> None:
    assert nvidia.chip(model) == chip
    assert nvidia.architecture(chip) is architecture


@pytest.mark.parametrize(
    "model", ["", "GR100 A01", "GH1000", "AGH100", "gh100 A01", "NVIDIA GH100"]
)
def test_other_chips_are_not_known(model: str) -> None:
    with pytest.raises(ValueError, match="no chip of a known architecture"):
        nvidia.chip(model)


@pytest.mark.parametrize(
    ("file", "fwid", "model"),
    [
        ("gonvattest_test_gpu_attestation_certificate_chain.dat", "f5c384ae", "GH100 A01 GSP BROM"),
        ("nvsdk_blackwellCertChain.txt", "d090cab1", "GB100 A01 GSP BROM"),
    ],
)
def test_real_chains(file: str, fwid: str, model: str) -> None:
    chain = vectors.endorsements(f"nvidia/{file}").certificates

    assert (nvidia.fwid(chain[0]) or b"").hex().startswith(fwid)
    assert nvidia.hardware_model(chain) == model
