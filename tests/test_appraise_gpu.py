"""Appraisal of GPUs and switches: each setting refuses what it should, and accepts the rest."""

from __future__ import annotations

from typing import Any

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError, PolicyError
from wasmtime_attestation.policy import HARDWARE_ONLY, PRESETS, AppraisalPolicy, load
from wasmtime_attestation.policy.azure import AzurePolicy
from wasmtime_attestation.policy.gpu import GpuPolicy, version_key
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import nvidia_rim, ocsp
from tests.fakes.amd import MILAN
from tests.fakes.nvidia import AT, BLACKWELL, HOPPER, SWITCH, serial_of
from tests.verifier import snp_verification
from tests.verifier.nvidia_verification import verify

GPU = PRESETS["gpu"]


def claims(anchors: Anchors | None = None, **fields: Any) -> Claims:  # noqa: ANN401
    return verify(HOPPER.report(**fields), anchors=anchors).claims


def switch() -> Claims:
    given = SWITCH.endorsements() + nvidia_rim.endorsements(*nvidia_rim.SWITCH)
    return verify(SWITCH.report(), given).claims


def covered() -> Claims:
    responses = (*ocsp.about_path(HOPPER.chain()[1:]), *ocsp.about_path(nvidia_rim.DRIVER.path()))
    given = HOPPER.endorsements() + nvidia_rim.endorsements() + Endorsements(ocsp=responses)
    return verify(HOPPER.report(), given).claims


def policy(gpu: GpuPolicy) -> AppraisalPolicy:
    return AppraisalPolicy("any", frozenset({TeeType.NVIDIA_GPU, TeeType.OTHER}), gpu=gpu)


def findings(of: Claims, under: AppraisalPolicy | GpuPolicy) -> list[str]:
    """Returns the checks that failed; each must be one that is documented."""
    if isinstance(under, GpuPolicy):
        under = policy(under)
    with pytest.raises(PolicyError) as caught:
        appraise(of, under, at=AT, guest_digest=None)
    checks = [finding.check for finding in caught.value.findings]
    assert set(checks) <= FINDINGS.keys()
    return checks


def accepted(of: Claims, gpu: GpuPolicy) -> bool:
    return appraise(of, policy(gpu), at=AT, guest_digest=None).status is Status.AFFIRMING


def test_an_empty_policy_denies() -> None:
    assert findings(claims(), load("empty", b"schema = 1")) == ["policy.accept"]


def test_hardware_only_accepts_a_gpu_and_says_what_it_does_not_know() -> None:
    result = appraise(claims(), HARDWARE_ONLY, at=AT, guest_digest=None)

    assert result.status is Status.AFFIRMING
    assert [finding.check for finding in result.findings] == ["policy.measurement"]


def test_the_preset_for_gpus_wants_revocation_checked() -> None:
    assert findings(claims(), GPU) == ["policy.gpu-revocation"]
    assert appraise(covered(), GPU, at=AT, guest_digest=None).status is Status.AFFIRMING


def test_a_switch_is_no_gpu() -> None:
    assert findings(switch(), HARDWARE_ONLY) == ["policy.accept"]
    assert "policy.accept" in findings(switch(), GPU)


def test_a_simulated_gpu_is_accepted_with_a_warning() -> None:
    roots = [HOPPER.chain()[-1], nvidia_rim.DRIVER.path()[-1]]
    simulated = claims(Anchors([]).trusting(map(spki_sha256, roots)))

    result = appraise(simulated, HARDWARE_ONLY, at=AT, guest_digest=None)

    assert result.status is Status.WARNING
    assert result.findings[0].check == "policy.simulated"


@pytest.mark.parametrize(
    ("gpu", "check"),
    [
        (GpuPolicy(architectures=frozenset({Architecture.BLACKWELL})), "gpu-architecture"),
        (GpuPolicy(architectures=frozenset()), "gpu-architecture"),
        (GpuPolicy(ueids=frozenset({"1"})), "gpu-ueid"),
        (GpuPolicy(modes=frozenset({"ppcie"})), "gpu-mode"),
        (GpuPolicy(modes=frozenset({"spt", "mpt", "ppcie"})), "gpu-mode"),  # an old driver's
        (GpuPolicy(driver_versions=frozenset({"550.90.08"})), "gpu-driver-version"),
        (GpuPolicy(minimum_driver_version="550.90.08"), "gpu-driver-version"),
        (GpuPolicy(minimum_driver_version="1000.0"), "gpu-driver-version"),
        (GpuPolicy(vbios_versions=frozenset({"96.00.9F.00.02"})), "gpu-vbios-version"),
        (GpuPolicy(minimum_vbios_version="96.00.A0.00.00"), "gpu-vbios-version"),
        (GpuPolicy(require_revocation_check=True), "gpu-revocation"),
    ],
)
def test_what_a_policy_does_not_accept(gpu: GpuPolicy, check: str) -> None:
    assert findings(claims(), gpu) == [f"policy.{check}"]


def test_everything_is_found_at_once() -> None:
    gpu = GpuPolicy(
        frozenset(), frozenset(), "999.0", frozenset(), "FF.00.00.00.00", frozenset(), frozenset(),
        require_revocation_check=True,
    )  # fmt: skip

    assert len(findings(claims(), gpu)) == 8


def test_what_a_policy_accepts() -> None:
    ueid = str(serial_of("GH100 A01 GSP FMC LF"))
    gpu = GpuPolicy(
        architectures=frozenset({Architecture.HOPPER}),
        driver_versions=frozenset({"550.90.07"}),
        minimum_driver_version="550.90.7",
        vbios_versions=frozenset({"96.00.9F.00.01"}),
        minimum_vbios_version="96.00.9F.00.01",
        ueids=frozenset({ueid}),
        modes=frozenset({"spt"}),
    )

    assert accepted(claims(fields={36: b"\0\0"}), gpu)


def test_a_switch_has_no_driver_and_no_mode() -> None:
    gpu = GpuPolicy(
        minimum_driver_version="999.0", driver_versions=frozenset(), modes=frozenset({"ppcie"})
    )
    assert accepted(switch(), gpu)
    assert findings(switch(), GpuPolicy(minimum_vbios_version="96.10.56.00.01")) == [
        "policy.gpu-vbios-version"
    ]


def test_versions_compare_as_numbers() -> None:
    assert version_key("550.90.07") == (550, 90, 7)
    assert version_key("96.00.9F.00.01") == (0x96, 0, 0x9F, 0, 1)
    assert version_key("550-server") is None


def test_a_version_that_cannot_be_compared_is_not_high_enough() -> None:
    odd = HOPPER.report(fields={3: b"550-server\0"})
    manifest = nvidia_rim.Manifest(version="550-server")
    given = HOPPER.endorsements() + nvidia_rim.endorsements(manifest, nvidia_rim.VBIOS)

    assert findings(verify(odd, given).claims, GpuPolicy(minimum_driver_version="1.0")) == [
        "policy.gpu-driver-version"
    ]


def test_the_table() -> None:
    text = b"""schema = 1
    accept = ["nvidia-gpu", "other"]
    [gpu]
    architectures = ["HOPPER", "LS10"]
    driver-versions = ["550.90.07"]
    minimum-driver-version = "550.54.15"
    vbios-versions = ["96.00.9F.00.01"]
    minimum-vbios-version = "96.00.9F.00.01"
    ueids = ["478176379286082186618948445787393647364802107249"]
    modes = ["spt"]
    require-revocation-check = true
    """
    gpu = load("p", text).gpu

    assert gpu.architectures == frozenset({Architecture.HOPPER, Architecture.LS10})
    assert gpu.driver_versions == frozenset({"550.90.07"})
    assert gpu.minimum_driver_version == "550.54.15"
    assert gpu.minimum_vbios_version == "96.00.9F.00.01"
    assert gpu.modes == frozenset({"spt"})
    assert gpu.require_revocation_check


def test_an_absent_table_does_not_constrain() -> None:
    assert load("p", b"schema = 1").gpu == GpuPolicy()
    assert load("p", b"schema = 1\ngpu = {ueids = []}").gpu.ueids == frozenset()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('architectures = ["GH100"]', "gpu.architectures has 'GH100'"),
        ('minimum-driver-version = "new"', "gpu.minimum-driver-version has 'new'"),
        ('minimum-driver-version = ""', "gpu.minimum-driver-version has ''"),
        ('vbios-versions = ["96.00.9f.00.01"]', "gpu.vbios-versions has"),
        ('ueids = ["0x1"]', "gpu.ueids has"),
        ('modes = ["on"]', "gpu.modes has 'on'"),
        ("devtools = true", "unknown setting gpu.devtools"),
        ("require-revocation-check = 1", "must be true or false"),
    ],
)
def test_what_is_wrong_with_the_table_is_said(setting: str, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        load("p", f"schema = 1\n[gpu]\n{setting}".encode())


def test_blackwell_is_another_architecture() -> None:
    given = BLACKWELL.endorsements() + nvidia_rim.endorsements(*nvidia_rim.BLACKWELL)
    gpu = GpuPolicy(architectures=frozenset({Architecture.BLACKWELL}), modes=frozenset({"mpt"}))

    assert accepted(verify(BLACKWELL.report(), given).claims, gpu)


def test_a_gpu_alone_is_one() -> None:
    appraise(claims(), policy(GpuPolicy(expected_count=1)), at=AT, guest_digest=None)
    assert findings(claims(), GpuPolicy(expected_count=8)) == ["policy.gpu-count"]
    assert findings(switch(), GpuPolicy(expected_count=1)) == ["policy.gpu-count"]


def blackwell() -> Claims:
    given = BLACKWELL.endorsements() + nvidia_rim.endorsements(*nvidia_rim.BLACKWELL)
    return verify(BLACKWELL.report(), given).claims


def machine() -> Claims:
    return snp_verification.verify(MILAN.report(), MILAN.chain()).claims


def accepts(*pieces: Claims, count: int) -> bool:
    """Whether a policy that expects a number of GPUs accepts every one of several pieces."""
    both = frozenset({TeeType.AMD_SEV_SNP, TeeType.NVIDIA_GPU})
    under = AppraisalPolicy("both", both, gpu=GpuPolicy(expected_count=count))
    refused = set()
    for piece in pieces:
        try:
            appraise(piece, under, at=AT, guest_digest=None, beside=pieces)
        except PolicyError as error:
            refused |= {finding.check for finding in error.findings}
    assert refused <= {"policy.gpu-count"}
    return not refused


@pytest.mark.parametrize("count", range(4))
def test_distinct_gpus_count_together(count: int) -> None:
    first, second = claims(), blackwell()

    assert accepts(first, second, switch(), count=count) is (count == 2)
    assert accepts(machine(), first, second, count=count) is (count == 2)
    assert accepts(machine(), first, first, count=count) is (count == 1)


def test_without_any_gpu_other_evidence_is_refused() -> None:
    under = AppraisalPolicy(
        "any", frozenset({TeeType.AMD_SEV_SNP}), gpu=GpuPolicy(expected_count=1)
    )
    assert findings(machine(), under) == ["policy.gpu-count"]


BOTH = frozenset({TeeType.AMD_SEV_SNP, TeeType.NVIDIA_GPU})


@pytest.mark.parametrize(
    ("under", "check"),
    [
        (AppraisalPolicy("p", BOTH, require_reference_values=True), "policy.reference-values"),
        (AppraisalPolicy("p", BOTH, azure=AzurePolicy(required=True)), "policy.azure"),
    ],
)
def test_a_machine_answers_for_software_and_its_devices_do_not(
    under: AppraisalPolicy, check: str
) -> None:
    host, device = machine(), claims()

    appraise(device, under, at=AT, guest_digest=None, beside=(host, device))
    for piece, beside in ((device, ()), (device, (device, blackwell())), (host, (host, device))):
        with pytest.raises(PolicyError) as caught:
            appraise(piece, under, at=AT, guest_digest=None, beside=beside)
        assert [finding.check for finding in caught.value.findings] == [check]


def test_a_switch_goes_with_its_gpus() -> None:
    under = AppraisalPolicy("p", BOTH)
    appraise(switch(), under, at=AT, guest_digest=None, beside=(claims(), switch()))
    for beside in ((), (machine(), switch())):
        with pytest.raises(PolicyError, match=r"policy\.accept"):
            appraise(switch(), under, at=AT, guest_digest=None, beside=beside)
    no_gpus = AppraisalPolicy("p", frozenset({TeeType.AMD_SEV_SNP}))
    with pytest.raises(PolicyError, match=r"policy\.accept"):
        appraise(switch(), no_gpus, at=AT, guest_digest=None, beside=(claims(), switch()))
