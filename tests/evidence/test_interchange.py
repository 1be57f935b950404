"""Evidence as other tools write it down comes out as the bytes that the hardware made."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.recognise import Token, recognise

from tests.fakes.amd import GENOA, MILAN, TURIN, Machine
from tests.fakes.intel import Platform
from tests.verifier.snp_verification import verify

QUOTE = Platform().quote()
REPORT = MILAN.report()
CERTIFICATE = b"\x30\x03\x02\x01\x00"
LOG = b"a boot log"
TDX = Evidence(EvidenceType.INTEL_TDX, QUOTE)
SNP = Evidence(EvidenceType.AMD_SEV_SNP, REPORT)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(document: object) -> tuple[Evidence, ...]:
    subject = recognise(json.dumps(document).encode())
    assert not isinstance(subject, Token)
    return subject


@pytest.mark.parametrize("written", [b64, url, bytes.hex], ids=["base64", "base64url", "hex"])
def test_confidential_containers_tdx(written: object) -> None:
    assert callable(written)
    assert read({"quote": written(QUOTE), "cc_eventlog": None}) == (TDX,)
    with_log = Evidence(EvidenceType.INTEL_TDX, QUOTE, boot_log=LOG)
    assert read({"quote": written(QUOTE), "cc_eventlog": written(LOG)}) == (with_log,)


def test_dstack() -> None:
    answer = {"quote": QUOTE.hex(), "event_log": "[]", "report_data": "00", "vm_config": "{}"}
    assert read(answer) == (TDX,)


def test_attestation_rs() -> None:
    chain = {"vcek": b64(CERTIFICATE), "ask": b64(CERTIFICATE), "ark": None}
    inner = {"attestation_report": b64(REPORT), "cert_chain": chain}
    brought = (RawEndorsement(EndorsementType.CERTIFICATE, CERTIFICATE),) * 2

    (found,) = read({"platform": "snp", "evidence": inner})

    assert found == Evidence(EvidenceType.AMD_SEV_SNP, REPORT, brought)
    assert read({"platform": "gcp-tdx", "evidence": {"quote": b64(QUOTE)}}) == (TDX,)
    assert read({"attestation_report": b64(REPORT)}) == (SNP,)


@pytest.mark.parametrize("machine", [MILAN, GENOA, TURIN], ids=lambda m: m.product_name)
def test_confidential_containers_snp_takes_the_report_apart(machine: Machine) -> None:
    report = machine.report()
    chain = [{"cert_type": "VCEK", "data": [*CERTIFICATE]}]

    (found,) = read({"attestation_report": apart(report), "cert_chain": chain})

    assert found.data == report
    assert found.endorsements == (RawEndorsement(EndorsementType.CERTIFICATE, CERTIFICATE),)
    verify(found.data, machine.chain())


def test_confidential_containers_list_what_a_host_adds() -> None:
    """A launch endorsement of a cloud, say; and a revocation list counts as one."""
    data = [*CERTIFICATE]
    chain: list[object] = [
        {"cert_type": {"OTHER": "9f4116cd-c503-4f4a-8f6f-fb68882f4ce2"}, "data": [1, 2, 3]},
        {"cert_type": "Empty", "data": []},
        {"cert_type": "CRL", "data": data},
        {"cert_type": "VLEK", "data": data},
    ]

    (found,) = read({"attestation_report": b64(REPORT), "cert_chain": chain})

    assert found.endorsements == (
        RawEndorsement(EndorsementType.CRL, CERTIFICATE),
        RawEndorsement(EndorsementType.CERTIFICATE, CERTIFICATE),
    )


def test_a_field_that_was_changed_on_the_way_breaks_the_signature() -> None:
    fields = apart(REPORT)
    fields["vmpl"] = 1

    (found,) = read({"attestation_report": fields})

    with pytest.raises(RejectedError, match=r"snp\.signature"):
        verify(found.data, MILAN.chain())


def apart(report: bytes) -> dict[str, object]:
    """Takes a report apart as the crate `sev` does; offsets from AMD 56860."""

    def number(offset: int, size: int) -> int:
        return int.from_bytes(report[offset : offset + size], "little")

    def array(offset: int, size: int) -> list[int]:
        return [*report[offset : offset + size]]

    has_fmc = number(0, 4) >= 3 and number(0x188, 1) == 0x1A

    def tcb(offset: int) -> dict[str, int | None]:
        if has_fmc:
            names = {"fmc": 0, "bootloader": 1, "tee": 2, "snp": 3, "microcode": 7}
        else:
            names = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
        absent = {} if has_fmc else {"fmc": None}
        return {name: report[offset + at] for name, at in names.items()} | absent

    has_cpuid, has_vectors = number(0, 4) >= 3, number(0, 4) >= 5
    return {
        "version": number(0, 4),
        "guest_svn": number(4, 4),
        "policy": number(8, 8),
        "family_id": array(0x10, 16),
        "image_id": array(0x20, 16),
        "vmpl": number(0x30, 4),
        "sig_algo": number(0x34, 4),
        "current_tcb": tcb(0x38),
        "plat_info": number(0x40, 8),
        "key_info": number(0x48, 4),
        "report_data": array(0x50, 64),
        "measurement": array(0x90, 48),
        "host_data": array(0xC0, 32),
        "id_key_digest": array(0xE0, 48),
        "author_key_digest": array(0x110, 48),
        "report_id": array(0x140, 32),
        "report_id_ma": array(0x160, 32),
        "reported_tcb": tcb(0x180),
        "cpuid_fam_id": report[0x188] if has_cpuid else None,
        "cpuid_mod_id": report[0x189] if has_cpuid else None,
        "cpuid_step": report[0x18A] if has_cpuid else None,
        "chip_id": array(0x1A0, 64),
        "committed_tcb": tcb(0x1E0),
        "current_build": report[0x1E8],
        "current_minor": report[0x1E9],
        "current_major": report[0x1EA],
        "committed_build": report[0x1EC],
        "committed_minor": report[0x1ED],
        "committed_major": report[0x1EE],
        "launch_tcb": tcb(0x1F0),
        "launch_mit_vector": number(0x1F8, 8) if has_vectors else None,
        "current_mit_vector": number(0x200, 8) if has_vectors else None,
        "signature": {"r": array(0x2A0, 72), "s": array(0x2E8, 72)},
    }


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "none of hcl_report, attestation_report, quote"),
        ([], "no list of 1 to 64 devices"),
        ({"quote": 1}, "quote is neither hex nor base64"),
        ({"quote": "!"}, "quote is neither hex nor base64"),
        ({"quote": "é"}, "quote is neither hex nor base64"),
        ({"quote": b64(QUOTE), "verified": True}, '["verified"], which is unknown'),
        ({"platform": "tdx"}, "evidence is no JSON object"),
        ({"platform": "tdx", "evidence": {}, "nvidia_gpu": {}}, '["nvidia_gpu"]'),
        ({"platform": "a", "evidence": {"platform": "b", "evidence": {}}}, "within the envelope"),
        ({"attestation_report": {"version": -1}}, "version is no number of 4 bytes"),
        ({"attestation_report": {"version": True}}, "version is no number of 4 bytes"),
        ({"attestation_report": {"shoe_size": 1}}, "unknown member 'shoe_size'"),
        ({"attestation_report": {"chip_id": [0] * 63}}, "chip_id has 63 bytes, not 64"),
        ({"attestation_report": {"chip_id": [256] * 64}}, "chip_id is no array of bytes"),
        ({"attestation_report": {"current_tcb": {"x": 1}}}, "unknown member 'x'"),
        ({"attestation_report": {"current_tcb": 1}}, "current_tcb is no object"),
        ({"attestation_report": {"signature": {"r": []}}}, "signature.r has 0 bytes, not 72"),
        ({"attestation_report": "AA", "cert_chain": 7}, "neither an object nor a list"),
        ({"attestation_report": "AA", "cert_chain": [7]}, "a certificate is no JSON object"),
        ({"attestation_report": "AA", "cert_chain": [{"data": [0]}] * 17}, "more than 16"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(document: object, says: str) -> None:
    with pytest.raises(RejectedError, match=re.escape(says)) as caught:
        read(document)
    assert caught.value.findings[0].check == "input.format"


_NAMES = """platform evidence quote cc_eventlog attestation_report cert_chain data
signature r s version chip_id current_tcb snp"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 300) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_NAMES.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_evidence_or_rejected(document: object) -> None:
    try:
        checks = {type(piece).__name__ for piece in read(document)}
    except RejectedError as error:
        checks = {finding.check for finding in error.findings}
    assert checks in ({"input.format"}, {"Evidence"})
