"""Evidence in the shapes that services ask for: recorded ones, and every miniature machine's."""

from __future__ import annotations

import base64
import json

import pytest
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import azure, interchange, snp, snp_json, tpm
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.pem import decode_chain
from wasmtime_attestation.services import Collector, trustee_evidence
from wasmtime_attestation.services.devices import DeviceList
from wasmtime_attestation.services.evidence import architecture, serials

from tests import vectors
from tests.fakes import amd, nvidia
from tests.fakes.azure import SNP
from tests.services.asking import BOUND, Gpu, of_device


def recorded(name: str) -> tuple[dict[str, object], Evidence, bytes]:
    """Returns a document of Confidential Containers, its evidence, and the quote's nonce."""
    document = json.loads(vectors.read(name))
    (evidence,) = interchange.read(document)
    quote = azure.decode(evidence.data).tpm_quote
    assert quote is not None
    return document, evidence, tpm.decode(quote.message).extra_data


def test_azure_snp_as_it_was_recorded() -> None:
    document, evidence, nonce = recorded("azure/trustee_snp_evidence_v1.json")
    assert trustee_evidence.of_machine(evidence, nonce) == document


def test_azure_tdx_as_it_was_recorded() -> None:
    document, evidence, nonce = recorded("azure/trustee_tdx_evidence_v1.json")
    assert trustee_evidence.of_machine(evidence, nonce) == document


def test_a_quote_with_another_nonce_is_not_sent() -> None:
    _, evidence, _ = recorded("azure/trustee_snp_evidence_v1.json")
    with pytest.raises(UnsupportedError, match="digest of its runtime data"):
        trustee_evidence.of_machine(evidence, bytes(48))


def test_azure_without_a_quote_or_a_vcek() -> None:
    with pytest.raises(UnavailableError, match="no quote"):
        trustee_evidence.of_machine(SNP.evidence(message=None), bytes(48))
    bare = Evidence(EvidenceType.AZURE_SNP, SNP.evidence().data)
    nonce = b"challenge"
    with pytest.raises(UnavailableError, match="VCEK"):
        trustee_evidence.of_machine(bare, nonce)


@pytest.mark.parametrize("machine", amd.MACHINES, ids=lambda m: f"{m.product_name}-{m.version}")
def test_a_report_there_and_back(machine: amd.Machine) -> None:
    report = machine.report(
        report_data=BOUND, current_build=1, current_minor=2, current_major=3, committed_build=4
    )
    document = snp_json.document(report)
    assert snp_json.encode(document) == report
    assert json.loads(json.dumps(document)) == document
    assert document["current"] == {"build": 1, "minor": 2, "major": 3}
    assert (document["cpuid_fam_id"] is None) == (machine.version == 2)


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_a_real_report_there_and_back(vector: vectors.SnpVector) -> None:
    report = vector.report()
    assert snp_json.encode(snp_json.document(report)) == report


def test_certificates_beside_a_report() -> None:
    for machine, kinds in (
        (amd.MILAN, ["VCEK", "ASK", "ARK"]),
        (amd.VLEK, ["VLEK", "ASK", "ARK"]),
    ):
        document = trustee_evidence.of_machine(machine.collect(BOUND), b"")
        assert isinstance(document, dict)
        chain = document["cert_chain"]
        assert isinstance(chain, list)
        assert [entry["cert_type"] for entry in chain if isinstance(entry, dict)] == kinds
    alone = Evidence(EvidenceType.AMD_SEV_SNP, amd.MILAN.report())
    document = trustee_evidence.of_machine(alone, b"")
    assert isinstance(document, dict)
    assert document["cert_chain"] is None


def real_device(report: str, chain: str) -> Evidence:
    certificates = decode_chain(vectors.read(chain), 5)
    return Evidence(
        EvidenceType.NVIDIA_GPU,
        vectors.read(report),
        tuple(RawEndorsement(EndorsementType.CERTIFICATE, der) for der in certificates),
    )


def test_a_real_hopper() -> None:
    device = real_device(
        "nvidia/gonvattest_test_raw_gpu_attestation_report.dat",
        "nvidia/gonvattest_test_gpu_attestation_certificate_chain.dat",
    )
    assert architecture(device) == "HOPPER"
    # The same device's token, as NVIDIA's service answered.
    eat = json.loads(vectors.read("nvidia/nvsdk_hopperClaimsv3_decoded.json"))
    assert str(serials([device])[0]) in json.dumps(eat)


@pytest.mark.parametrize(
    ("device", "name"),
    [(nvidia.HOPPER, "HOPPER"), (nvidia.BLACKWELL, "BLACKWELL"), (nvidia.SWITCH, "LS10")],
)
def test_architectures(device: nvidia.Device, name: str) -> None:
    assert architecture(of_device(device, bytes(32))) == name


def test_devices_of_one_kind_at_a_time() -> None:
    hopper, blackwell, switch = (
        of_device(each, bytes(32)) for each in (nvidia.HOPPER, nvidia.BLACKWELL, nvidia.SWITCH)
    )
    for devices in ((hopper, blackwell), (hopper, switch), ()):
        with pytest.raises(UnsupportedError, match="one architecture"):
            DeviceList.of(devices, "it")
    listed = DeviceList.of((hopper,), "it")
    (item,) = listed.items
    assert isinstance(item, dict)
    assert base64.b64decode(str(item["evidence"])) == hopper.data
    assert str(base64.b64decode(str(item["certificate"]))).count("BEGIN CERTIFICATE") == 5


def test_devices_without_certificates() -> None:
    device = Evidence(EvidenceType.NVIDIA_GPU, of_device(Gpu(), bytes(32)).data)
    with pytest.raises(UnavailableError, match="certificates"):
        DeviceList.of((device,), "it")


def test_a_machine_of_the_host_is_a_collector() -> None:
    machine = Machine(amd.MILAN)
    collector = Collector.of(machine)
    assert snp.decode(collector.vm(BOUND, None).data).report_data == BOUND
    assert collector.info().provider == "fake"
    with pytest.raises(UnsupportedError):
        collector.gpu(0, bytes(32))
    with pytest.raises(UnsupportedError):
        collector.devices(bytes(32))
