"""Azure confidential VMs of the miniature paravisor: what is accepted, and what is not and why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.wit import TeeType

from tests.fakes import amd, intel
from tests.fakes.azure import (
    CONFIGURATION,
    NONCE,
    PCRS,
    SNP,
    TDX,
    TDX_15,
    USER_DATA,
    VMS,
    ConfidentialVm,
    attest,
    attestation_key,
    hcl_report,
    jwk,
    sealed,
    td_report,
)
from tests.verifier.azure_verification import AT, rejection, verify

EVERY_VM = pytest.mark.parametrize("vm", VMS, ids=["snp", "tdx", "tdx-1.5"])


@EVERY_VM
def test_a_confidential_vm(vm: ConfidentialVm) -> None:
    verified = verify(vm=vm)

    claims, azure = verified.claims, verified.azure
    assert claims.tee_type is (TeeType.AMD_SEV_SNP if vm.is_snp else TeeType.INTEL_TDX)
    assert isinstance(azure.hardware, SnpClaims if vm.is_snp else TdxClaims)
    assert claims.report_data == azure.user_data == USER_DATA
    assert azure.vm_configuration == CONFIGURATION
    assert azure.secure_boot
    assert azure.vm_id == "26f8bc30-774e-4290-8e7a-535f3b672aee"
    assert azure.tpm is not None
    assert azure.tpm.pcrs == PCRS
    assert (azure.tpm.nonce, azure.tpm.clock) == (NONCE, 123456)
    assert (azure.tpm.reset_count, azure.tpm.restart_count) == (2, 1)
    assert azure.tpm.firmware_version == 0x2020031200120003
    undone = {check.id for check in verified.checks if check.outcome is not Outcome.PASSED}
    assert undone == ({"amd.revocation"} if vm.is_snp else set())


@EVERY_VM
def test_claims_in_json(vm: ConfidentialVm) -> None:
    members: Any = json.loads(json.dumps(verify(vm=vm).claims.to_json()))

    assert members["azure"]["user_data"] == USER_DATA.hex()
    assert members["azure"]["vm_configuration"] == CONFIGURATION
    assert members["azure"]["tpm"]["pcrs"]["23"] == PCRS[23].hex()
    assert members["amd-sev-snp" if vm.is_snp else "intel-tdx"]


@pytest.mark.parametrize("hash_type", [1, 2, 3])
@pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])
def test_each_hash_of_the_runtime_claims(vm: ConfidentialVm, hash_type: int) -> None:
    verify(vm=replace(vm, hash_type=hash_type))


@EVERY_VM
@pytest.mark.parametrize("version", [1, 2])
def test_each_version_of_the_report(vm: ConfidentialVm, version: int) -> None:
    verify(vm.evidence(report=vm.report(version=version)), vm)


@EVERY_VM
def test_a_hash_type_that_is_another(vm: ConfidentialVm) -> None:
    report = vm.report(hash_type=2)
    assert rejection(vm.evidence(report=report), vm).check == "azure.runtime-claims"


@EVERY_VM
def test_runtime_claims_that_were_written_anew(vm: ConfidentialVm) -> None:
    """The same JSON in other bytes is another text: what counts is what was hashed."""
    spaced = json.dumps(json.loads(vm.claims())).encode()
    hardware = vm.report()[0x20 : 0x20 + (1184 if vm.is_snp else 1024)]
    report = hcl_report(hardware, spaced, 2 if vm.is_snp else 4)

    assert rejection(vm.evidence(report=report), vm).check == "azure.runtime-claims"


def test_something_behind_the_digest_of_the_runtime_claims() -> None:
    data = SNP.report_data(SNP.claims())[:32] + b"\1" * 32
    vm = replace(SNP, fields={"report_data": data})

    assert rejection(vm=vm).check == "azure.runtime-claims"


def test_a_key_of_somebody_else_in_the_runtime_claims() -> None:
    """The attacker's key signs the quote, and the hardware has never heard of it."""
    attacker = ConfidentialVm(amd.MILAN, owner="attacker")
    hardware = SNP.report()[0x20 : 0x20 + 1184]
    report = hcl_report(hardware, attacker.claims(), 2)
    evidence = attacker.evidence(report=report)

    assert rejection(evidence).check == "azure.runtime-claims"


@EVERY_VM
def test_a_quote_of_another_vtpm(vm: ConfidentialVm) -> None:
    other = replace(vm, owner="other").sign(attest())
    assert rejection(vm.evidence(signature=other), vm).check == "tpm.signature"


def test_a_quote_that_answers_another_nonce() -> None:
    finding = rejection(nonce=b"something else")
    assert finding.check == "tpm.nonce"
    assert NONCE.hex() in finding.detail


@pytest.mark.parametrize("nonce", [b"", NONCE[:-1], NONCE + b"\0"])
def test_a_nonce_is_compared_in_full(nonce: bytes) -> None:
    assert rejection(nonce=nonce).check == "tpm.nonce"


def test_without_a_nonce_freshness_is_open() -> None:
    assert verify(nonce=None).outcome("tpm.nonce") is Outcome.NOT_CHECKED


@pytest.mark.parametrize("index", [0, 7, 23])
def test_a_pcr_that_was_not_quoted(index: int) -> None:
    pcrs = {**PCRS, index: bytes(32)}
    assert rejection(SNP.evidence(pcrs=pcrs)).check == "tpm.pcrs"


def test_pcrs_in_place_of_others() -> None:
    pcrs = {**PCRS, 4: PCRS[5], 5: PCRS[4]}
    assert rejection(SNP.evidence(pcrs=pcrs)).check == "tpm.pcrs"


def test_fewer_pcrs() -> None:
    few = {index: PCRS[index] for index in (0, 1, 2, 3, 4, 7)}
    verified = verify(SNP.evidence(message=attest(pcrs=few), pcrs=few))
    assert verified.azure.tpm is not None
    assert verified.azure.tpm.pcrs == few


def test_a_selection_that_is_not_of_the_given_pcrs() -> None:
    """The digest is that of the values given, for PCRs that they are not of."""
    few = {index: PCRS[index] for index in (0, 1)}
    lie = attest(pcrs=few, selections=[(0x0B, b"\x0c\0\0")])
    finding = rejection(SNP.evidence(message=lie, pcrs=few))
    assert finding.check == "tpm.pcrs"
    assert "2 to 3 were quoted, 0 to 1 are given" in finding.detail


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (attest(magic=b"\0TCG"), "no TPM made it"),
        (attest(kind=0x8017), "not 0x8018"),
        (attest(selections=[]), "0 PCR selections"),
        (attest(selections=[(0x0B, b"\xff\xff\xff")] * 2), "2 PCR selections"),
        (attest(selections=[(0x04, b"\xff\xff\xff")]), "bank 0x4"),
        (attest(selections=[(0x0B, b"\xff\xff\xff\0")]), "sizeofSelect is 4"),
        (attest(selections=[(0x0B, b"")]), "sizeofSelect is 0"),
        (attest(digest=bytes(20)), "pcrDigest has 20 bytes"),
        (attest(digest=bytes(48)), "pcrDigest has 48 bytes"),
        (attest(nonce=bytes(65)), "extraData has 65 bytes"),
        (attest(safe=2), "neither YES nor NO"),
        (attest(signer=bytes(67)), "qualifiedSigner has 67 bytes"),
        (attest() + b"\0", "1 bytes follow"),
        (attest()[:-1], "within pcrDigest"),
    ],
)
def test_a_message_that_is_no_quote(message: bytes, reason: str) -> None:
    finding = rejection(SNP.evidence(message=message))
    assert finding.check == "tpm.format"
    assert reason in finding.detail


@EVERY_VM
def test_user_data_that_is_another(vm: ConfidentialVm) -> None:
    finding = rejection(vm=vm, report_data=bytes(64))
    assert finding.check == "evidence.binding"
    assert "user-data" in finding.detail


def test_user_data_is_filled_up_with_zeros() -> None:
    vm = replace(SNP, user_data=b"short")
    assert verify(vm=vm, report_data=b"short".ljust(64, b"\0")).azure.user_data == b"short"
    assert rejection(vm=vm, report_data=b"short".rjust(64, b"\0")).check == "evidence.binding"


def test_no_user_data_is_not_zeros() -> None:
    vm = replace(SNP, user_data=None)
    assert rejection(vm=vm, report_data=bytes(64)).check == "evidence.binding"
    assert verify(vm=vm, report_data=None).azure.user_data is None


def test_a_report_of_the_guests_own() -> None:
    """Below VMPL 0 the guest chooses REPORT_DATA, and could vouch for a key of its own."""
    vm = replace(SNP, fields={"vmpl": 2})
    finding = rejection(vm=vm)
    assert finding.check == "azure.paravisor"
    assert "VMPL 2" in finding.detail


def test_without_a_quote_of_the_vtpm() -> None:
    verified = verify(SNP.evidence(message=None), nonce=None)
    assert verified.azure.tpm is None
    for check in ("tpm.format", "tpm.signature", "tpm.nonce", "tpm.pcrs"):
        assert verified.outcome(check) is Outcome.NOT_CHECKED
    assert verified.outcome("evidence.binding") is Outcome.PASSED


def test_no_quote_answers_no_nonce() -> None:
    finding = rejection(SNP.evidence(message=None))
    assert finding.check == "tpm.nonce"
    assert "there is no quote" in finding.detail


@pytest.mark.parametrize("vm", [TDX, TDX_15], ids=["tdx", "tdx-1.5"])
@pytest.mark.parametrize(
    "name",
    [
        "mrtd", "mrconfigid", "mrowner", "mrownerconfig", "rtmr0", "rtmr1", "rtmr2", "rtmr3",
        "td_attributes", "xfam", "mrseam",
    ],
)  # fmt: skip
def test_a_quote_of_another_td(vm: ConfidentialVm, name: str) -> None:
    size = intel.LAYOUT[name][1]
    quote = vm.td_quote(**{name: b"\1" * size})

    finding = rejection(vm.evidence(td_quote=quote), vm)
    assert finding.check == "azure.td-report"
    assert name.upper() in finding.detail


def test_service_tds_that_the_report_denies() -> None:
    quote = TDX_15.td_quote(mrservicetd=b"\1" * 48)
    assert rejection(TDX_15.evidence(td_quote=quote), TDX_15).check == "azure.td-report"


def test_a_quote_with_other_report_data() -> None:
    quote = TDX.td_quote(report_data=bytes(64))
    assert rejection(TDX.evidence(td_quote=quote), TDX).check == "azure.td-report"


def test_a_td_report_whose_digests_are_not_its_own() -> None:
    claims = TDX.claims()
    good = td_report(intel.PLATFORM, report_data=TDX.report_data(claims))
    tcb, info = good[256:495], good[512:]
    for bad, reason in (
        (good[:80] + bytes(48) + good[128:], "TDINFO"),
        (good[:32] + bytes(48) + good[80:], "TEE_TCB_INFO"),
        (sealed(tcb, info, good[128:192], b"\x81\0\2\0"), "REPORTTYPE"),
        (sealed(tcb, info, good[128:192], b"\0\0\0\0"), "REPORTTYPE"),
        (sealed(tcb[:-1] + b"\1", info, good[128:192]), "reserved bytes of TEE_TCB_INFO"),
        (sealed(tcb, info[:-1] + b"\1", good[128:192]), "reserved bytes of TDINFO"),
    ):
        finding = rejection(TDX.evidence(report=hcl_report(bad, claims, 4)), TDX)
        assert finding.check == "azure.td-report"
        assert reason in finding.detail


def test_a_td_report_alone_says_nothing() -> None:
    ledger = Ledger()
    with pytest.raises(UnavailableError, match="TD quote of it is missing"):
        verify(TDX.evidence(td_quote=None), TDX, ledger=ledger)
    outcomes = {check.id: check.outcome for check in ledger.checks}
    assert outcomes["tdx.signature"] is outcomes["azure.td-report"] is Outcome.NOT_CHECKED


def test_a_td_quote_beside_a_report_of_amds() -> None:
    finding = rejection(SNP.evidence(td_quote=TDX.td_quote()))
    assert (finding.check, "TD quote" in finding.detail) == ("azure.format", True)


@pytest.mark.parametrize(("kind", "vm"), [("azure-tdx", SNP), ("azure-snp", TDX)])
def test_evidence_that_is_said_to_be_of_something_else(kind: str, vm: ConfidentialVm) -> None:
    evidence = replace(vm.evidence(), type=EvidenceType(kind))
    assert rejection(evidence, vm).check == "azure.format"


@EVERY_VM
def test_hardware_that_nobody_vouches_for(vm: ConfidentialVm) -> None:
    others = intel.real_anchors() if vm.is_snp else amd.real_anchors()
    with pytest.raises(RejectedError) as caught:
        verify(vm=vm, anchors=others)
    assert caught.value.findings[0].check in ("amd.ark", "intel.root")


@EVERY_VM
def test_missing_endorsements_are_named(vm: ConfidentialVm) -> None:
    evidence = replace(vm.evidence(), endorsements=())
    with pytest.raises(UnavailableError, match=r"snp\.signer|intel\.tcb-info"):
        verify(evidence, vm, endorsements=Endorsements())


def test_a_revoked_authority_below() -> None:
    """What the hardware's own verifier refuses is refused here too, and under its own name."""
    with pytest.raises(RejectedError) as caught:
        verify(SNP.evidence(), at=AT.replace(year=2060))
    assert caught.value.findings[0].check == "amd.validity"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"keys": None}, "no array of keys"),
        ({"keys": []}, "0 keys are named HCLAkPub"),
        ({"keys": [jwk(attestation_key())] * 2}, "2 keys are named HCLAkPub"),
        ({"keys": [jwk(attestation_key()) | {"kty": "EC"}]}, "no RSA key"),
        ({"keys": [jwk(attestation_key()) | {"e": "Aw"}]}, "exponent 65537"),
        ({"keys": [jwk(attestation_key("small", 1024))]}, "2048 to 4096"),
        ({"keys": [jwk(attestation_key()) | {"n": 5}]}, "n of HCLAkPub is no string"),
        ({"keys": [jwk(attestation_key()) | {"n": "AA=="}]}, "base64url"),
        ({"user-data": 5}, "user-data"),
        ({"user-data": "00" * 65}, "user-data"),
        ({"user-data": "xx"}, "cannot be read"),
        ({"user-data": "00 11"}, "user-data has blanks"),
        ({"vm-configuration": []}, "vm-configuration is no JSON object"),
    ],
)
def test_runtime_claims_that_say_nothing_usable(members: dict[str, Any], reason: str) -> None:
    claims = SNP.claims(**members)
    finding = rejection(SNP.evidence(report=SNP.report(claims)))
    assert finding.check == "azure.format"
    assert reason in finding.detail
