"""Redaction: what identifies a chip or a machine is gone, and everything still decodes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.attesters.redaction import redact
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import azure, hcl, nvidia, snp, tdx
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.evidence.token import PROFILE, Binding
from wasmtime_attestation.verifier.replayed import Recorded
from wasmtime_attestation.wit import GpuInfo, TeeInfo, TeeType

from tests import vectors

INFO = TeeInfo(TeeType.OTHER, supports_attestation=True, provider="test", gpu_count=1)
UUID = "GPU-5ba93cd4-8d05-d4b2-44c4-1a4e36d17fd9"
GPUS = (GpuInfo(0, UUID, "NVIDIA H100", confidential=True),)


def vector(name: str) -> Evidence:
    found = recognise(vectors.read(name))
    assert not isinstance(found, Token)
    return found[0]


def redacted(piece: Evidence, *endorsements: RawEndorsement) -> Evidence:
    recorded = Recorded((piece,), Binding(PROFILE, bytes(8), bytes(32)), 1_772_323_200)
    made = redact(Recording(INFO, GPUS, recorded, endorsements=endorsements))
    assert made.recorded.redacted
    assert all(len(remark) <= 256 for remark in made.recorded.redacted)
    # It can be written, and read again.
    assert Recording.decode(made.encode()) == made
    assert UUID not in made.encode().decode()
    return made.recorded.evidence[0]


def certificate(data: bytes) -> RawEndorsement:
    return RawEndorsement(EndorsementType.CERTIFICATE, data)


@pytest.mark.parametrize("name", ["gosev_report_v2_milan", "ms_report_v3_milan"])
def test_snp(name: str) -> None:
    piece = vector(f"snp/{name}.bin")
    before, after = snp.decode(piece.data), snp.decode(redacted(piece).data)
    assert (after.chip_id, after.report_id, after.report_id_ma) == (bytes(64), bytes(32), bytes(32))
    assert (after.signature_r, after.signature_s) == (0, 0)
    assert any(before.chip_id)
    assert before.chip_id not in redacted(piece).data
    kept = ("measurement", "report_data", "host_data", "reported_tcb", "policy", "current_firmware")
    assert all(getattr(before, field) == getattr(after, field) for field in kept)


def test_certificates_that_name_a_chip_go_and_those_of_authorities_stay() -> None:
    vcek = certificate(vectors.read("snp/gosev_vcek_milan.der"))
    chain = x509.load_pem_x509_certificates(vectors.read("snp/chain_milan_vcek.pem"))
    authorities = tuple(certificate(c.public_bytes(Encoding.DER)) for c in chain)
    piece = replace(
        vector("snp/gosev_report_v2_milan.bin"),
        endorsements=(vcek, *authorities, certificate(b"neither")),
    )
    assert redacted(piece).endorsements == authorities


@pytest.mark.parametrize("name", ["dcapqvl_tdx_quote_v4.bin", "gotdx_quote_v5.dat"])
def test_tdx(name: str) -> None:
    piece = vector(f"tdx/{name}")
    before, after = tdx.decode(piece.data), tdx.decode(redacted(piece).data)
    assert after.report == before.report
    assert after.user_data == bytes(20)
    assert any(before.user_data)
    leaf, *authorities = before.pck_chain.split(b"-----END CERTIFICATE-----")[:-1]
    for part in (
        before.attestation_key,
        before.signature,
        before.qe_signature,
        before.qe_report[320:352],
        leaf.split(b"\n")[3],
    ):
        assert part in piece.data
        assert part not in redacted(piece).data
    assert all(authority in redacted(piece).data for authority in authorities)


@pytest.mark.parametrize("name", ["trustee_snp_evidence_v1.json", "trustee_tdx_evidence_v1.json"])
def test_azure(name: str) -> None:
    piece = vector(f"azure/{name}")
    assert piece.type in (EvidenceType.AZURE_SNP, EvidenceType.AZURE_TDX)
    before, after = azure.decode(piece.data), azure.decode(redacted(piece).data)
    report, changed = hcl.decode(before.hcl_report), hcl.decode(after.hcl_report)
    claims = json.loads(report.claims_text)
    vm_id = claims["vm-configuration"]["vmUniqueId"].encode()
    moduli = [key["n"].encode() for key in claims["keys"]]
    for secret in (vm_id, *moduli):
        assert secret in before.hcl_report
        assert secret not in after.hcl_report
    assert changed.claims.user_data == report.claims.user_data
    assert before.tpm_quote is not None
    assert after.tpm_quote is not None
    assert before.tpm_quote.pcrs == after.tpm_quote.pcrs
    assert not any(after.tpm_quote.signature)
    assert before.tpm_quote.message[8:42] not in after.tpm_quote.message
    if report.type is hcl.ReportType.SNP:
        assert not any(changed.hardware_report[0x1A0:0x1E0])
        assert redacted(piece).endorsements == ()


def test_nvidia() -> None:
    report = vectors.read("nvidia/gonvattest_test_raw_gpu_attestation_report.dat")
    leaf = x509.load_pem_x509_certificates(
        vectors.read("nvidia/gonvattest_test_gpu_attestation_certificate_chain.dat")
    )[0]
    piece = Evidence(
        EvidenceType.NVIDIA_GPU, report, (certificate(leaf.public_bytes(Encoding.DER)),)
    )
    after = redacted(piece)
    assert after.endorsements == ()
    before, changed = nvidia.decode(report), nvidia.decode(after.data)
    assert changed.signed.measurements == before.signed.measurements
    assert changed.driver_version == before.driver_version
    assert not any(changed.signed.signature)
    for kind in (1, 2, 4, 22):
        assert not any(changed.opaque.value(kind) or b"")


def test_a_boot_log_and_what_names_a_chip_beside_evidence_go() -> None:
    piece = replace(vector("snp/gosev_report_v2_milan.bin"), boot_log=b"root=UUID=...")
    kept = RawEndorsement(EndorsementType.INTEL_COLLATERAL, b"of many")
    answers = RawEndorsement(EndorsementType.OCSP_RESPONSE, b"of a device")
    recorded = Recorded((piece,), Binding(PROFILE, bytes(8), bytes(32)), 1)
    made = redact(Recording(INFO, (), recorded, endorsements=(answers, kept)))
    assert made.recorded.evidence[0].boot_log is None
    assert made.endorsements == (kept,)


@pytest.mark.parametrize("kind", list(EvidenceType))
def test_what_cannot_be_decoded_is_not_passed_off_as_redacted(kind: EvidenceType) -> None:
    recorded = Recorded((Evidence(kind, b"unknown"),), Binding(PROFILE, bytes(8), bytes(32)), 1)
    with pytest.raises(InvalidArgumentError, match="cannot be redacted"):
        redact(Recording(INFO, (), recorded))
