"""The HCL report, its canonical evidence, and other tools' documents, decoded strictly."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import azure, azure_documents, hcl, td_report, tpm
from wasmtime_attestation.evidence.envelope import EndorsementType, Evidence, EvidenceType
from wasmtime_attestation.evidence.hcl import HashType, ReportType
from wasmtime_attestation.evidence.recognise import recognise

from tests import vectors
from tests.fakes import amd
from tests.fakes.azure import (
    CONFIGURATION,
    PCRS,
    SNP,
    TDX,
    USER_DATA,
    ConfidentialVm,
    attest,
    base64url,
    canonical,
    hcl_report,
)
from tests.fakes.azure import td_report as write_td_report

ONLY_VCEK = SNP.certificates()[:1]
MESSAGE = attest()
SIGNATURE = SNP.sign(MESSAGE)
# The hardware's signatures differ each time, so that each is made once.
REPORT, TDX_REPORT, TD_QUOTE = SNP.report(), TDX.report(), TDX.td_quote()


def evidence_of(vm: ConfidentialVm) -> Evidence:
    if vm.is_snp:
        return vm.evidence(report=REPORT, signature=SIGNATURE)
    return vm.evidence(report=TDX_REPORT, signature=SIGNATURE, td_quote=TD_QUOTE)


def reason(data: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        hcl.decode(data)
    (finding,) = caught.value.findings
    assert finding.check == "azure.format"
    return finding.detail


def test_a_report() -> None:
    report = hcl.decode(SNP.report())
    assert (report.version, report.type, report.hash_type) == (2, ReportType.SNP, HashType.SHA256)
    assert report.claims_text == SNP.claims()
    assert len(report.hardware_report) == 1184
    assert report.claims.user_data == USER_DATA
    assert report.claims.vm_configuration == CONFIGURATION
    numbers = SNP.key.public_key().public_numbers()
    key = report.claims.attestation_key
    assert (key.modulus, key.exponent) == (numbers.n, numbers.e)
    assert len(hcl.decode(TDX.report()).hardware_report) == 1024


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"version": 0}, "its version is 0"),
        ({"version": 3}, "its version is 3"),
        ({"request_type": 1}, "request type"),
        ({"status": 1}, "status"),
        ({"data_version": 2}, "the version of its request data is not 1"),
        ({"report_type": 3}, "its report type is 3"),
        ({"hash_type": 0}, "its hash type is 0"),
        ({"hash_type": 4}, "its hash type is 4"),
        ({"report_size": 1184}, "sizes disagree"),
        ({"data_size": 0}, "sizes disagree"),
        ({"claims_size": 20_000}, "within the runtime claims"),
    ],
)
def test_numbers_that_are_not_the_layouts(numbers: dict[str, int], expected: str) -> None:
    assert expected in reason(SNP.report(None, **numbers))


def test_a_size_that_takes_padding_in() -> None:
    size = len(SNP.claims()) + 1
    report = SNP.report(claims_size=size, data_size=20 + size, report_size=32 + 1184 + 20 + size)
    assert "runtime claims cannot be read" in reason(report)


@pytest.mark.parametrize("at", [20, 31, 2599])
def test_bytes_that_must_be_zero(at: int) -> None:
    report = bytearray(SNP.report())
    report[at] = 1
    assert "must be zero" in reason(bytes(report))


def test_bytes_after_a_td_report_must_be_zero() -> None:
    report = bytearray(TDX.report())
    report[0x20 + 1024] = 1
    assert "after the TDREPORT" in reason(bytes(report))


@pytest.mark.parametrize("size", [0, 3, 32, 0x4BF, 0x4D4, 0x500])
def test_a_report_that_was_cut(size: int) -> None:
    reason(SNP.report()[:size])


def test_a_report_ends_where_it_says_or_in_zeros() -> None:
    report = REPORT.rstrip(b"\0")
    assert hcl.decode(report) == hcl.decode(REPORT) == hcl.decode(report + bytes(5000))
    assert "16384 is the most" in reason(report.ljust(20_000, b"\0"))


def test_runtime_claims_twice_over() -> None:
    claims = SNP.claims()[:-1] + b',"user-data":""}'
    assert "duplicate member" in reason(hcl_report(bytes(1184), claims, 2))
    nested = b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert "nested deeper" in reason(hcl_report(bytes(1184), nested, 2))


def test_a_td_report() -> None:
    platform = TDX.hardware
    assert not isinstance(platform, amd.Machine)
    report = td_report.decode(write_td_report(platform, mrowner=b"\7" * 48, rtmr3=b"\3" * 48))
    assert (report.mrowner, report.rtmr3) == (b"\7" * 48, b"\3" * 48)
    assert report.mrtd == bytes(range(1, 49))
    assert report.td_attributes == bytes.fromhex("0000001000000000")


def test_real_reports() -> None:
    """Expected values are what `facts` and the files' own publishers say of them."""
    old = hcl.decode(vectors.read("azure/kinvolk_hcl_report_snp.bin"))
    assert old.claims_text == old.claims_text.strip()
    assert (old.type, old.claims.user_data) == (ReportType.SNP, None)
    assert old.claims.vm_configuration["secure-boot"] is True
    new = hcl.decode(vectors.read("azure/kinvolk_hcl_report_tdx.bin"))
    assert (new.type, new.claims.user_data) == (ReportType.TDX, bytes(64))
    assert new.claims.vm_configuration["secure-boot"] is False
    assert not any(td_report.decode(new.hardware_report).td_attributes)


def form(**changes: Any) -> bytes:  # noqa: ANN401
    members: dict[str, Any] = json.loads(evidence_of(SNP).data) | changes
    return json.dumps(members, separators=(",", ":")).encode()


def test_the_canonical_form() -> None:
    evidence = azure.decode(evidence_of(SNP).data)
    assert evidence.hcl_report == REPORT
    assert evidence.tpm_quote is not None
    assert evidence.tpm_quote.pcrs == PCRS
    assert evidence.encode() == evidence_of(SNP).data
    assert azure.decode(evidence_of(TDX).data).td_quote == TD_QUOTE
    assert azure.decode(canonical(b"x", None, None)).tpm_quote is None


PARTS = json.loads(evidence_of(SNP).data)
QUOTE = PARTS["tpm_quote"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        form() + b" ",
        form().replace(b":", b": ", 1),
        form(more=1),
        form(td_quote=None),
        form(hcl_report=PARTS["hcl_report"] + "="),
        form(hcl_report=5),
        form(hcl_report="A" * 30_000),
        form(tpm_quote={name: QUOTE[name] for name in ("signature", "message", "pcrs")}),
        form(tpm_quote={**QUOTE, "more": ""}),
        form(tpm_quote={**QUOTE, "pcrs": {"24": QUOTE["pcrs"]["0"]}}),
        form(tpm_quote={**QUOTE, "pcrs": {"00": QUOTE["pcrs"]["0"]}}),
        form(tpm_quote={**QUOTE, "pcrs": dict(reversed(QUOTE["pcrs"].items()))}),
        form(tpm_quote={**QUOTE, "pcrs": {"0": "AA"}}),
        form(tpm_quote={**QUOTE, "message": "A" * 2000}),
        form() + bytes(1 << 18),
        b'{"hcl_report":"","hcl_report":""}',
    ],
)
def test_what_is_not_the_canonical_form(data: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        azure.decode(data)
    assert caught.value.findings[0].check == "azure.format"


def document(vm: ConfidentialVm = SNP, **members: Any) -> dict[str, Any]:  # noqa: ANN401
    """Versions 1 and 2 of Confidential Containers."""
    own = {"vcek": base64url(ONLY_VCEK[0].data)} if vm.is_snp else {"td_quote": text(TD_QUOTE)}
    return {
        "version": 1,
        "tpm_quote": {
            "signature": SIGNATURE.hex(),
            "message": MESSAGE.hex(),
            "pcrs": [PCRS[index].hex() for index in range(24)],
        },
        "hcl_report": text(REPORT if vm.is_snp else TDX_REPORT),
        **own,
        **members,
    }


def text(data: bytes | None) -> str:
    """With padding, as Confidential Containers write it."""
    assert data is not None
    return base64.urlsafe_b64encode(data).decode()


def legacy(vm: ConfidentialVm = SNP) -> dict[str, Any]:
    """Version 0: arrays of bytes, and a certificate in PEM."""
    quote = {
        "signature": [*SIGNATURE],
        "message": [*MESSAGE],
        "pcrs": [[*PCRS[index]] for index in range(24)],
    }
    if not vm.is_snp:
        assert TD_QUOTE is not None
        return {"tpm_quote": quote, "hcl_report": [*TDX_REPORT], "td_quote": [*TD_QUOTE]}
    return {
        "quote": quote,
        "report": [*REPORT],
        "vcek": pem(amd.MILAN.key.certificate).decode(),
    }


def read(value: Any) -> Evidence:  # noqa: ANN401
    found = recognise(json.dumps(value).encode())
    assert isinstance(found, tuple)
    (evidence,) = found
    return evidence


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])
def test_documents_of_confidential_containers(vm: ConfidentialVm, version: int) -> None:
    evidence = read(document(vm, version=version))
    expected = evidence_of(vm)
    assert (evidence.type, evidence.data) == (expected.type, expected.data)
    assert evidence.endorsements == (ONLY_VCEK if vm.is_snp else ())
    assert read({"platform": "az", "evidence": document(vm, version=version)}) == evidence


@pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])
def test_documents_of_version_0(vm: ConfidentialVm) -> None:
    evidence = read(legacy(vm))
    expected = evidence_of(vm)
    assert (evidence.type, evidence.data) == (expected.type, expected.data)
    assert evidence.endorsements == (ONLY_VCEK if vm.is_snp else ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (document(version=3), "its version is 3"),
        (document(version=True), "its version is true"),
        (document(version="1"), "its version is"),
        (document(tpm_quote=[]), "no object of signature"),
        (document(tpm_quote={**document()["tpm_quote"], "more": 1}), "no object of signature"),
        (document(tpm_quote={**document()["tpm_quote"], "pcrs": []}), "no array of 24"),
        (
            document(tpm_quote={**document()["tpm_quote"], "pcrs": ["00"] * 24}),
            "a PCR has not 32 bytes",
        ),
        (document(hcl_report="!"), "hcl_report is neither"),
        (document(more=1), "which is unknown"),
        (legacy() | {"more": 1}, "which is unknown"),
        (legacy() | {"vcek": "-----BEGIN CERTIFICATE-----!-----END CERTIFICATE-----"}, "PEM"),
        (legacy() | {"vcek": pem(amd.MILAN.key.certificate).decode() * 9}, "more than 8"),
    ],
)
def test_documents_that_are_wrong(value: Any, expected: str) -> None:  # noqa: ANN401
    with pytest.raises(RejectedError) as caught:
        read(value)
    assert expected in caught.value.findings[0].detail


def test_certificates_of_version_0_in_one_text() -> None:
    both = pem(amd.MILAN.key.certificate).decode() + pem(amd.MILAN.amd.ark.certificate).decode()
    found = read(legacy() | {"vcek": both}).endorsements
    assert [item.type for item in found] == [EndorsementType.CERTIFICATE] * 2
    assert found[1].data == der(amd.MILAN.amd.ark.certificate)


@pytest.mark.parametrize("vm", [SNP, TDX], ids=["snp", "tdx"])
def test_a_bare_report_in_each_form(vm: ConfidentialVm) -> None:
    report = vm.report()
    expected = (azure_documents.of_report(report),)
    assert azure.decode(expected[0].data).hcl_report == report
    assert expected[0].type is (EvidenceType.AZURE_SNP if vm.is_snp else EvidenceType.AZURE_TDX)
    for data in (report, report.hex().encode(), base64.b64encode(report)):
        assert recognise(data) == expected


def test_a_bare_td_report_is_refused_with_the_reason() -> None:
    platform = TDX.hardware
    assert not isinstance(platform, amd.Machine)
    for data in (write_td_report(platform), vectors.read("tdx/gotdx_tdreport.dat")):
        with pytest.raises(RejectedError, match="its MAC can be verified on its own machine"):
            recognise(data)


@given(st.binary(max_size=1500))
def test_arbitrary_bytes(data: bytes) -> None:
    for decode in (hcl.decode, td_report.decode, tpm.decode, azure.decode):
        for start in (b"", b"HCLA\2\0\0\0", b"\xffTCG\x80\x18"):
            with pytest.raises(RejectedError):
                decode(start + data)
