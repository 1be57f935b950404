"""Each bit of a report's structures means what the specification says, and nothing else."""

from __future__ import annotations

import pytest
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.snp import decode
from wasmtime_attestation.evidence.snp_fields import Cpuid, ProductLine, SignerKind

from tests.fakes.amd import MILAN

# POLICY (56860, table "Guest Policy").
POLICY_BITS = {
    16: "smt_allowed",
    18: "migration_agent_allowed",
    19: "debug_allowed",
    20: "single_socket_only",
    21: "cxl_allowed",
    22: "aes_256_xts_required",
    23: "rapl_disabled",
    24: "ciphertext_hiding_required",
    25: "page_swap_disabled",
}


@pytest.mark.parametrize(("bit", "name"), POLICY_BITS.items())
def test_each_bit_of_the_policy_means_one_thing(bit: int, name: str) -> None:
    policy = decode(MILAN.report(policy=1 << 17 | 1 << bit | 0x1F37)).policy

    assert (policy.abi_major, policy.abi_minor) == (0x1F, 0x37)
    assert [n for n in POLICY_BITS.values() if getattr(policy, n)] == [name]


@pytest.mark.parametrize("bit", range(26, 64))
def test_reserved_bits_of_the_policy_are_rejected(bit: int) -> None:
    with pytest.raises(RejectedError, match="bits 26 and up must be zero"):
        decode(MILAN.report(policy=1 << 17 | 1 << bit))


def test_the_bit_of_the_policy_that_must_be_one() -> None:
    with pytest.raises(RejectedError, match="bit 17 must be one"):
        decode(MILAN.report(policy=0x10000))


PLATFORM_BITS = {
    0: "smt_enabled",
    1: "tsme_enabled",
    2: "ecc_enabled",
    3: "rapl_disabled",
    4: "ciphertext_hiding_enabled",
    5: "alias_check_complete",
    7: "tio_enabled",
}


@pytest.mark.parametrize("bit", range(64))
def test_each_bit_of_the_platform_means_one_thing_or_is_kept_as_undefined(bit: int) -> None:
    platform = decode(MILAN.report(platform_info=1 << bit)).platform_info

    named = [name for name in PLATFORM_BITS.values() if getattr(platform, name)]
    assert named == ([PLATFORM_BITS[bit]] if bit in PLATFORM_BITS else [])
    assert platform.undefined_bits == (0 if bit in PLATFORM_BITS else 1 << bit)


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0b00000, (False, False, SignerKind.VCEK)),
        (0b00001, (True, False, SignerKind.VCEK)),
        (0b00010, (False, True, SignerKind.VCEK)),
        (0b00100, (False, False, SignerKind.VLEK)),
        (0b11110, (False, True, SignerKind.NONE)),
    ],
)
def test_the_key_information(bits: int, expected: tuple[bool, bool, SignerKind]) -> None:
    keys = decode(MILAN.report(key_information=bits)).keys

    assert (keys.author_key_enabled, keys.chip_key_masked, keys.signer) == expected


@pytest.mark.parametrize("kind", range(2, 7))
def test_reserved_kinds_of_signing_key_are_rejected(kind: int) -> None:
    with pytest.raises(RejectedError, match=f"SIGNING_KEY is {kind}"):
        decode(MILAN.report(key_information=kind << 2))


@pytest.mark.parametrize("bit", range(5, 32))
def test_reserved_bits_of_the_key_information_are_rejected(bit: int) -> None:
    with pytest.raises(RejectedError, match="bits 5 and up must be zero"):
        decode(MILAN.report(key_information=1 << bit))


@pytest.mark.parametrize(
    ("family", "model", "line"),
    [
        (0x19, 0x00, ProductLine.MILAN),
        (0x19, 0x0F, ProductLine.MILAN),
        (0x19, 0x10, ProductLine.GENOA),
        (0x19, 0x1F, ProductLine.GENOA),
        (0x19, 0x20, None),
        (0x19, 0x9F, None),
        (0x19, 0xA0, ProductLine.GENOA),
        (0x19, 0xAF, ProductLine.GENOA),
        (0x19, 0xB0, None),
        (0x1A, 0x00, ProductLine.TURIN),
        (0x1A, 0x11, ProductLine.TURIN),
        (0x1A, 0x12, None),
        (0x18, 0x01, None),
        (0x00, 0x00, None),
    ],
)
def test_product_lines_by_family_and_model(
    family: int, model: int, line: ProductLine | None
) -> None:
    assert Cpuid(family, model, 0).product_line is line


@pytest.mark.parametrize(
    ("differs", "provisional"),
    [
        ({}, False),
        ({"committed_tcb": bytes([4, 0, 0, 0, 0, 0, 23, 219])}, True),
        ({"current_build": 1}, True),
        ({"committed_minor": 1}, True),
        ({"launch_tcb": bytes(8)}, False),
        ({"reported_tcb": bytes(8)}, False),
    ],
)
def test_firmware_is_provisional_until_it_is_committed(
    differs: dict[str, int | bytes], *, provisional: bool
) -> None:
    assert decode(MILAN.report(**differs)).firmware_is_provisional is provisional
