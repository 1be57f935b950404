"""Intel's collateral: each part authentic, current and of the platform, or the answer is no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import Finding

from tests.fakes.intel import (
    AT,
    ISSUED,
    NEXT_UPDATE,
    NOT_BEFORE,
    PLATFORM,
    QE_IDENTITY,
    TCB_INFO,
    Collateral,
    Platform,
    certificate,
    changed,
    crl,
)
from tests.verifier.tdx_verification import rejection, verify

SECOND = timedelta(seconds=1)
ROOT, CA, SIGNER = "Intel SGX Root CA", PLATFORM.ca, "Intel SGX TCB Signing"
ROOT_KEY, CA_KEY = PLATFORM.key(ROOT), PLATFORM.key(CA)
QUOTE = PLATFORM.quote()


def rejected(**parts: Any) -> Finding:  # noqa: ANN401
    return rejection(QUOTE, Collateral(PLATFORM, **parts).endorsements())


def accepted(**parts: Any) -> None:  # noqa: ANN401
    verify(QUOTE, Collateral(PLATFORM, **parts).endorsements())


@pytest.mark.parametrize(
    ("part", "check", "issuer", "subject"),
    [
        ("root_crl", "intel.root-crl", ROOT, PLATFORM.authority),
        ("root_crl", "intel.root-crl", ROOT, PLATFORM.signer),
        ("pck_crl", "intel.pck-crl", CA, PLATFORM.pck),
    ],
    ids=["PCK CA", "TCB signing", "PCK"],
)
def test_a_revoked_certificate(
    part: str, check: str, issuer: str, subject: x509.Certificate
) -> None:
    list_ = crl(issuer, PLATFORM.key(issuer), revoked=[7, subject.serial_number])

    finding = rejected(**{part: list_})

    assert finding.check == check
    assert "Intel revoked Intel SGX" in finding.detail


def test_the_serial_number_of_another_certificate_does_not_matter() -> None:
    accepted(root_crl=crl(ROOT, ROOT_KEY, revoked=[PLATFORM.pck.serial_number, 1]))


@pytest.mark.parametrize(
    ("part", "name", "check"),
    [("root_crl", ROOT, "intel.root-crl"), ("pck_crl", CA, "intel.pck-crl")],
)
def test_a_list_is_authentic_current_and_whole(part: str, name: str, check: str) -> None:
    key = PLATFORM.key(name)
    partial = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    for list_, detail in (
        (crl(name, Platform("else").key(name)), "not signed by the"),
        (crl(name, key, begin=AT + SECOND), "fetch a current one"),
        (crl(name, key, begin=ISSUED, end=AT - SECOND), "fetch a current one"),
        (crl(name, key, critical=partial), "has extension 2.5.29.28"),
        # Whoever leaves out that they are critical means no more of a list by it.
        (crl(name, key, also=partial), "has extension 2.5.29.28"),
        (crl(name, key, also=x509.DeltaCRLIndicator(1)), "has extension 2.5.29.27"),
    ):
        finding = rejected(**{part: list_})
        assert finding.check == check
        assert detail in finding.detail
    accepted(**{part: crl(name, key, begin=AT)})
    accepted(**{part: crl(name, key, end=AT)})


def test_the_list_of_the_other_pck_ca_is_the_wrong_one() -> None:
    other = "Intel SGX PCK Processor CA"

    finding = rejected(pck_crl=crl(other, PLATFORM.key(other)))

    assert finding.check == "intel.pck-crl"
    assert f"not of {other}" in finding.detail


def test_the_tcb_signer_is_issued_by_the_quotes_root_and_valid() -> None:
    key = PLATFORM.key(SIGNER)
    foreign = certificate(SIGNER, key, ROOT, Platform("else").key(ROOT))
    by_ca = certificate(SIGNER, key, CA, CA_KEY)
    expired = certificate(SIGNER, key, ROOT, ROOT_KEY, not_after=NOT_BEFORE + SECOND)

    authority = certificate(SIGNER, key, ROOT, ROOT_KEY, is_ca=True)

    for signer, detail in (
        (foreign, "root"),
        (by_ca, "root"),
        (authority, "root"),
        (expired, "expired"),
    ):
        finding = rejected(signers=(signer,))
        assert finding.check == "intel.tcb-signer"
        assert detail in finding.detail
    accepted(signers=(expired, foreign, PLATFORM.signer))


def test_a_certificate_of_another_name_signs_no_statement() -> None:
    """The root issues PCK CAs too; what they sign is no TCB info."""
    finding = rejected(statement_key=CA_KEY, signers=(PLATFORM.signer, PLATFORM.authority))

    assert finding.check == "intel.tcb-info"
    assert "it was altered" in finding.detail


@pytest.mark.parametrize(
    ("part", "statement", "check"),
    [
        ("tcb_info", TCB_INFO, "intel.tcb-info"),
        ("qe_identity", QE_IDENTITY, "intel.qe-identity"),
    ],
)
def test_a_statement_holds_from_issue_date_to_next_update(
    part: str, statement: Mapping[str, Any], check: str
) -> None:
    for member in ("issueDate", "nextUpdate"):
        at = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
        accepted(**{part: changed(statement, **{member: at})})
        off = AT + (SECOND if member == "issueDate" else -SECOND)
        text = off.strftime("%Y-%m-%dT%H:%M:%SZ")
        finding = rejected(**{part: changed(statement, **{member: text})})
        assert finding.check == check
        assert "fetch a current one" in finding.detail


def test_a_qe_identity_that_was_altered() -> None:
    good = Collateral(PLATFORM).endorsements()
    forged = tuple(
        replace(s, body=s.body.replace(b'"isvprodid":2', b'"isvprodid":3')) for s in good.statements
    )

    finding = rejection(QUOTE, Endorsements(good.certificates, good.crls, forged))

    assert finding.check == "intel.qe-identity"


@pytest.mark.parametrize("members", [{"fmspc": "00806F050000"}, {"pceId": "0001"}])
def test_the_tcb_info_is_of_the_platform(members: dict[str, str]) -> None:
    finding = rejected(tcb_info=changed(TCB_INFO, **members))

    assert finding.check == "intel.tcb-info"
    assert "none is of the quote's platform" in finding.detail


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"version": 2}, "version is not 3"),
        ({"tcbType": 1}, "tcbType is not 0"),
        ({"fmspc": "00"}, "not 6 bytes of hex"),
        ({"issueDate": "yesterday"}, "no instant in UTC"),
        ({"issueDate": "2026-02-30T00:00:00Z"}, "day"),
        ({"tcbLevels": {}}, "no list"),
        ({"tcbEvaluationDataNumber": True}, "no integer"),
    ],
)
def test_a_tcb_info_that_cannot_be_read(members: dict[str, Any], detail: str) -> None:
    finding = rejected(tcb_info=changed(TCB_INFO, **members))

    assert finding.check == "intel.tcb-info"
    assert detail in finding.detail


def test_of_several_statements_the_latest_evaluation_counts() -> None:
    later = Collateral(
        PLATFORM, tcb_info=changed(TCB_INFO, tcbEvaluationDataNumber=18)
    ).endorsements()

    verified = verify(QUOTE, Collateral(PLATFORM).endorsements() + later)

    (tcb_info,) = (c for c in verified.checks if c.id == "intel.tcb-info")
    assert "evaluation 18" in tcb_info.detail
    assert verified.tdx.evaluation_number == 17  # of the QE identity
    assert verified.tdx.collateral_expires == NEXT_UPDATE


@pytest.mark.parametrize(
    "qe",
    [
        {"mrsigner": bytes(32)},
        {"isv_prod_id": b"\1\0"},
        {"misc_select": b"\1\0\0\0"},
        {"attributes": bytes([0x17]) + bytes(15)},  # DEBUG
        {"attributes": bytes(16)},
    ],
    ids=["signer", "product", "misc select", "debug", "not initialised"],
)
def test_another_enclave_than_intels(qe: dict[str, bytes]) -> None:
    finding = rejection(PLATFORM.quote(qe=qe))

    assert finding.check == "tdx.qe"


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"mrsignerseam": b"\1" * 48}, "MRSIGNERSEAM"),
        ({"seam_attributes": b"\1" + bytes(7)}, "SEAMATTRIBUTES"),
        ({"tee_tcb_svn": bytes([6, 2, 3]) + bytes(13)}, "no TDX module TDX_02"),
    ],
)
def test_another_module_than_intels(fields: dict[str, Any], detail: str) -> None:
    finding = rejection(PLATFORM.quote(**fields))

    assert finding.check == "tdx.module"
    assert detail in finding.detail


def test_no_mask_of_an_identity_makes_a_debug_enclave_a_good_one() -> None:
    lenient = changed(QE_IDENTITY, attributesMask="00" * 16, attributes="00" * 16)
    quote = PLATFORM.quote(qe={"attributes": bytes([0x17]) + bytes(15)})

    finding = rejection(quote, Collateral(PLATFORM, qe_identity=lenient).endorsements())

    assert finding.check == "tdx.qe"
    assert "under debug" in finding.detail
