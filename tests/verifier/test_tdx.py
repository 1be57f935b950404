"""A quote verifies if quote, Quoting Enclave, platform and root fit; each misfit is rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.endorsements.x509 import pem, spki_sha256
from wasmtime_attestation.wit import TeeType

from tests.fakes.intel import (
    NOT_AFTER,
    NOT_BEFORE,
    PLATFORM,
    PLATFORM_15,
    Collateral,
    Platform,
    certificate,
    ecdsa,
    sgx_extensions,
)
from tests.verifier.tdx_verification import missing, rejection, verify

SECOND = timedelta(seconds=1)
ROOT, CA, PCK = "Intel SGX Root CA", PLATFORM.ca, "Intel SGX PCK Certificate"
# Where the signature data begins in a quote of version 4: header, body, length.
SIGNATURE, KEY = 48 + 584 + 4, 48 + 584 + 4 + 64


@pytest.mark.parametrize("platform", [PLATFORM, PLATFORM_15], ids=["v4", "v5"])
def test_a_miniature_platform_verifies(platform: Platform) -> None:
    verified = verify(platform.quote(), report_data=bytes(64))

    assert {check.outcome for check in verified.checks} == {Outcome.PASSED}
    assert verified.claims.platform is verified.claims.tee_type is TeeType.INTEL_TDX
    assert verified.tdx.tcb_status is TcbStatus.UP_TO_DATE
    assert not verified.claims.debug
    assert not verified.claims.simulated


def test_the_processor_ca_verifies_too() -> None:
    platform = replace(PLATFORM, ca="Intel SGX PCK Processor CA")

    assert verify(platform.quote(), Collateral(platform).endorsements()).tdx.quote_version == 4


def test_every_register_is_a_claim() -> None:
    names = ("mrtd", "mrconfigid", "mrowner", "mrownerconfig", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    values: dict[str, Any] = {name: bytes([n]) * 48 for n, name in enumerate(names, 1)}
    values |= {"mrservicetd": b"\x77" * 48, "report_data": b"\x99" * 64}

    verified = verify(PLATFORM_15.quote(**values))

    members = verified.claims.to_json()["intel-tdx"]
    assert isinstance(members, dict)
    assert {name: members[name] for name in values} == {n: v.hex() for n, v in values.items()}
    assert members["tcb_status"] == "UpToDate"
    assert verified.claims.report_data == b"\x99" * 64


@pytest.mark.parametrize(
    ("attributes", "debug"),
    [("0000001000000000", False), ("0100001000000000", True), ("8000001000000000", True)],
)
def test_any_bit_of_the_tud_group_is_debug(attributes: str, *, debug: bool) -> None:
    """TDX module base specification: a TD with one of bits 7 to 0 set is not trusted."""
    quote = PLATFORM.quote(td_attributes=bytes.fromhex(attributes))

    assert verify(quote).claims.debug is debug


def test_attributes_are_named_and_the_rest_is_shown() -> None:
    raw = (1 << 16 | 1 << 28 | 1 << 29 | 1 << 40 | 1 << 62 | 1 << 63).to_bytes(8, "little")

    attributes = verify(PLATFORM.quote(td_attributes=raw)).tdx.report.td_attributes

    assert attributes.sept_ve_disable
    assert attributes.migratable
    assert attributes.perfmon
    assert attributes.icssd
    assert attributes.tpa
    assert not attributes.lass
    assert not attributes.debug
    assert attributes.reserved_bits == 1 << 40


@pytest.mark.parametrize("tail", [b"\0" * 70, b"junk", b"\xff" * 3065])
def test_trailing_bytes_are_counted_and_say_nothing(tail: bytes) -> None:
    quote = PLATFORM.quote()

    verified = verify(quote + tail)

    assert verified.tdx.trailing_bytes == len(tail)
    assert verified.claims.report_data == verify(quote).claims.report_data
    (format_check,) = (c for c in verified.checks if c.id == "tdx.format")
    assert f"{len(tail)} bytes follow" in format_check.detail


def test_a_quote_that_its_key_did_not_sign() -> None:
    quote = bytearray(PLATFORM.quote())
    quote[48 + 136] ^= 1

    assert rejection(bytes(quote)).check == "tdx.signature"


def test_a_key_that_is_no_point() -> None:
    quote = bytearray(PLATFORM.quote())
    quote[KEY : KEY + 64] = b"\xff" * 64

    finding = rejection(bytes(quote))

    assert finding.check == "tdx.signature"
    assert "no point on P-256" in finding.detail


def test_a_key_that_the_quoting_enclave_does_not_vouch_for() -> None:
    other = Platform("somebody").key("attestation")
    point = other.public_key().public_numbers()
    quote = bytearray(PLATFORM.quote())
    quote[KEY : KEY + 64] = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    quote[SIGNATURE:KEY] = ecdsa(other, bytes(quote[: 48 + 584]))

    assert rejection(bytes(quote)).check == "tdx.qe-binding"


def test_what_follows_the_digest_in_the_qes_report_is_zero() -> None:
    good = PLATFORM.quote()
    digest = good[KEY + 64 + 6 + 320 : KEY + 64 + 6 + 352]

    assert rejection(PLATFORM.quote(qe={"report_data": digest + b"\1" * 32})).check == (
        "tdx.qe-binding"
    )


def test_a_qe_report_that_the_pck_did_not_sign() -> None:
    quote = bytearray(PLATFORM.quote())
    quote[KEY + 64 + 6 + 64] ^= 1  # MRENCLAVE

    assert rejection(bytes(quote)).check == "tdx.qe-signature"


def of_chain(*certificates: object) -> bytes:
    return b"".join(c if isinstance(c, bytes) else pem(c) for c in certificates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chain", "detail"),
    [
        (b"", "0 certificates"),
        (of_chain(PLATFORM.pck, PLATFORM.authority), "2 certificates"),
        (PLATFORM.chain() + pem(PLATFORM.root), "4 certificates"),
        (of_chain(PLATFORM.authority, PLATFORM.authority, PLATFORM.root), "its subject is not"),
        (b"\n" + PLATFORM.chain(), "not canonical"),
        (PLATFORM.chain() + b"x", "not canonical"),
        (PLATFORM.chain().replace(b"\n", b"\r\n"), "not canonical"),
        (of_chain(PLATFORM.pck, PLATFORM.root, PLATFORM.root), "is followed by Intel SGX Root CA"),
        (
            of_chain(PLATFORM.pck, Platform("else").authority, PLATFORM.root),
            "not signed by Intel SGX PCK Platform CA",
        ),
        (
            of_chain(
                certificate(PCK, PLATFORM.key("PCK"), CA, PLATFORM.key(CA)),
                PLATFORM.authority,
                PLATFORM.root,
            ),
            "no SGX extensions",
        ),
        (
            of_chain(
                certificate(
                    PCK,
                    PLATFORM.key("PCK"),
                    CA,
                    PLATFORM.key(CA),
                    sgx=sgx_extensions(PLATFORM) + b"\0",
                ),
                PLATFORM.authority,
                PLATFORM.root,
            ),
            "bytes follow a DER value",
        ),
        (
            of_chain(
                certificate(
                    PCK,
                    PLATFORM.key("PCK"),
                    CA,
                    PLATFORM.key(CA),
                    sgx=sgx_extensions(PLATFORM),
                    is_ca=True,
                ),
                PLATFORM.authority,
                PLATFORM.root,
            ),
            "not one that signs data alone",
        ),
    ],
)
def test_a_chain_that_is_none(chain: bytes, detail: str) -> None:
    finding = rejection(PLATFORM.quote(chain=chain))

    assert finding.check == "intel.pck"
    assert detail in finding.detail


def test_zeros_and_a_missing_line_end_after_the_chain_are_usual() -> None:
    for chain in (PLATFORM.chain() + b"\0", PLATFORM.chain().removesuffix(b"\n")):
        assert verify(PLATFORM.quote(chain=chain)).tdx.quote_version == 4


def test_the_ca_is_an_authority_that_the_root_signed() -> None:
    key, root_key = PLATFORM.key(CA), PLATFORM.key(ROOT)
    no_authority = certificate(CA, key, ROOT, root_key)
    by_other = certificate(CA, key, ROOT, Platform("else").key(ROOT), is_ca=True)

    for ca, detail in ((no_authority, "is no certification"), (by_other, "is not signed by")):
        finding = rejection(PLATFORM.quote(chain=of_chain(PLATFORM.pck, ca, PLATFORM.root)))
        assert finding.check == "intel.pck-ca"
        assert detail in finding.detail


def test_the_root_is_pinned() -> None:
    stranger = Platform("stranger")
    finding = rejection(stranger.quote(), Collateral(stranger).endorsements())

    assert finding.check == "intel.root"
    assert spki_sha256(stranger.root).hex() in finding.detail
    assert rejection(PLATFORM.quote(), anchors=Anchors.of_vendors()).check == "intel.root"


def test_the_root_is_self_signed() -> None:
    other = Platform("else").key(ROOT)
    forged = certificate(ROOT, PLATFORM.key(ROOT), ROOT, other, is_ca=True)

    finding = rejection(PLATFORM.quote(chain=of_chain(PLATFORM.pck, PLATFORM.authority, forged)))

    assert finding.check == "intel.root"


def test_a_root_that_the_user_trusts_is_simulated() -> None:
    anchors = Anchors.of_vendors().trusting([spki_sha256(PLATFORM.root)])

    verified = verify(PLATFORM.quote(), anchors=anchors)

    assert verified.claims.simulated
    assert verified.claims.tee_type is TeeType.SIMULATED


def test_an_anchor_of_amds_is_none_of_intels() -> None:
    """The fingerprint decides; the name of an anchor does not."""
    anchors = Anchors([Anchor("Intel SGX Root CA", bytes(32))])

    assert rejection(PLATFORM.quote(), anchors=anchors).check == "intel.root"


@pytest.mark.parametrize("at", [NOT_BEFORE - SECOND, NOT_AFTER + SECOND])
def test_the_chain_is_valid_at_the_instant(at: object) -> None:
    assert rejection(PLATFORM.quote(), at=at).check == "intel.validity"  # type: ignore[arg-type]


def test_an_expired_pck() -> None:
    platform = replace(PLATFORM, pck_not_after=NOT_BEFORE + SECOND)

    finding = rejection(platform.quote(), Collateral(platform).endorsements())

    assert finding.check == "intel.validity"
    assert PCK in finding.detail


def test_the_report_data_is_the_expected_one() -> None:
    finding = rejection(PLATFORM.quote(), report_data=b"\1" * 64)

    assert finding.check == "evidence.binding"
    assert verify(PLATFORM.quote()).outcome("evidence.binding") is Outcome.NOT_CHECKED
    # A broken binding is told even where collateral is missing.
    assert rejection(PLATFORM.quote(), Endorsements(), report_data=b"\1" * 64) == finding


def test_without_collateral_nothing_is_verified_and_all_of_it_is_named() -> None:
    message = missing(PLATFORM.quote(), Endorsements())

    for name in (
        "the certificate of Intel SGX TCB Signing",
        "the revocation list of Intel SGX Root CA",
        "the revocation list of Intel SGX PCK Platform CA",
        "the TDX TCB info of FMSPC b0c06f000000",
        "the TD QE identity",
    ):
        assert name in message


@pytest.mark.parametrize(
    ("collateral", "check"),
    [
        (Collateral(PLATFORM, tcb_info=None), "intel.tcb-info"),
        (Collateral(PLATFORM, qe_identity=None), "intel.qe-identity"),
        (Collateral(PLATFORM, signers=()), "intel.tcb-signer"),
        (Collateral(PLATFORM, without=frozenset({"root_crl"})), "intel.root-crl"),
        (Collateral(PLATFORM, without=frozenset({"pck_crl"})), "intel.pck-crl"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_part_of_the_collateral_is_required(collateral: Collateral, check: str) -> None:
    message = missing(PLATFORM.quote(), collateral.endorsements())

    assert check in message
    assert message.count("intel.") == 1
