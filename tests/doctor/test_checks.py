"""Each check of the doctor on made-up machines: what it finds, and what it says to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation.doctor import CHECKS
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.wit import TeeType

from tests.doctor.machines import (
    ASSET_TAG,
    UNREACHABLE,
    answered,
    finding,
    machine,
    with_gpus,
)

TSM = "/sys/kernel/config/tsm/report/"
MOUNTED = "configfs /sys/kernel/config configfs rw 0 0\n"
SNP = {"/sys/devices/platform/sev-guest/uevent": ""}
TDX = {"/proc/cpuinfo": "vendor_id : GenuineIntel\nflags : hypervisor tdx_guest\n"}
AZURE = {"/sys/class/dmi/id/chassis_asset_tag": ASSET_TAG, "/dev/tpmrm0": ""}
AZURE_SNP = {"azure-vtpm": TeeType.AMD_SEV_SNP}


def outcome(facts: object, check: str) -> str:
    found = finding(facts, check)  # type: ignore[arg-type]
    assert bool(found.remedy) is (found.outcome in ("warning", "failed"))
    assert found.detail
    return str(found.outcome)


def test_a_machine_that_has_nothing_is_healthy(tmp_path: Path) -> None:
    facts = machine(tmp_path, {})
    found = {check.id.removeprefix("doctor."): outcome(facts, check.id[7:]) for check in CHECKS}
    assert found.pop("tee") == "warning"
    assert found.pop("cpu") == found.pop("kernel") == "ok"
    assert {found.pop(name) for name in ("clock", "clock-skew")} == {"ok"}
    assert found.pop("cache") in ("ok", "warning")
    services = ("amd-kds", "intel-pcs", "nvidia-rim", "nvidia-ocsp")
    assert {found.pop(name) for name in services} == {"ok"}
    assert set(found.values()) == {"not-applicable"}


@pytest.mark.parametrize(
    ("files", "providers", "expected"),
    [
        ({}, {}, "warning"),
        (SNP, {}, "failed"),
        ({"/sys/firmware/sev": ""}, {}, "failed"),
        (SNP | {"/dev/sev-guest": ""}, {}, "ok"),
        (AZURE, AZURE_SNP, "ok"),
        (AZURE, {}, "warning"),
    ],
)
def test_tee(
    tmp_path: Path, files: dict[str, str], providers: dict[str, TeeType], expected: str
) -> None:
    assert outcome(machine(tmp_path, files, providers), "tee") == expected


@pytest.mark.parametrize(
    ("kernel", "files", "expected"),
    [
        ("6.7.0", SNP, "ok"),
        ("6.12.9-cloud", SNP, "ok"),
        ("10.0", SNP, "ok"),
        ("6.6.99", SNP, "failed"),
        ("5.19.0", SNP, "failed"),
        # The device serves, so nothing failed.
        ("6.6.99", SNP | {"/dev/sev-guest": ""}, "warning"),
        # Nothing here needs it.
        ("5.10.0", {}, "ok"),
        ("", SNP, "warning"),
        ("none", SNP, "warning"),
    ],
)
def test_kernel(tmp_path: Path, kernel: str, files: dict[str, str], expected: str) -> None:
    assert outcome(machine(tmp_path, files, kernel=kernel), "kernel") == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/proc/self/mounts": MOUNTED}, "ok"),
        ({TSM: ""}, "ok"),
        ({"/proc/self/mounts": "configfs /mnt configfs rw 0 0\n\n"}, "failed"),
        ({}, "failed"),
        ({"/dev/sev-guest": ""}, "warning"),
    ],
)
def test_configfs(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    facts = machine(tmp_path, SNP | files)
    assert outcome(facts, "configfs") == expected
    if expected == "failed":
        assert "mount -t configfs" in finding(facts, "configfs").remedy


def test_tsm(tmp_path: Path) -> None:
    files = TDX | {TSM: ""}
    assert outcome(machine(tmp_path, files, {"configfs-tsm": TeeType.INTEL_TDX}), "tsm") == "ok"
    facts = machine(tmp_path, files, {"configfs-tsm": UnsupportedError("ENXIO: no provider")})
    assert outcome(facts, "tsm") == "failed"
    assert "ENXIO: no provider" in finding(facts, "tsm").detail
    assert "modprobe tdx-guest" in finding(facts, "tsm").remedy


def test_devices(tmp_path: Path) -> None:
    assert outcome(machine(tmp_path, SNP), "sev-guest") == "failed"
    assert outcome(machine(tmp_path, SNP), "tdx-guest") == "not-applicable"
    facts = machine(tmp_path, SNP | {"/.dockerenv": ""})
    assert "--device /dev/sev-guest" in finding(facts, "sev-guest").remedy
    assert outcome(facts, "container") == "failed"
    served = machine(tmp_path, SNP | {TSM: ""}, {"configfs-tsm": TeeType.AMD_SEV_SNP})
    assert outcome(served, "sev-guest") == "not-applicable"
    assert outcome(served, "container") == "ok"
    there = machine(tmp_path, SNP | {"/dev/sev-guest": ""})
    assert outcome(there, "sev-guest") == "ok"


def test_quotes_by_vsock(tmp_path: Path) -> None:
    facts = machine(tmp_path, TDX | {"/dev/tdx_guest": ""})
    assert outcome(facts, "tdx-guest") == "failed"
    assert "vsock" in finding(facts, "tdx-guest").remedy
    there = machine(tmp_path, TDX | {"/dev/tdx_guest": "", "/dev/vsock": ""})
    assert outcome(there, "tdx-guest") == "ok"


def test_boot_log(tmp_path: Path) -> None:
    log = {"/sys/firmware/acpi/tables/data/CCEL": ""}
    assert outcome(machine(tmp_path / "snp", SNP | log), "boot-log") == "not-applicable"
    assert outcome(machine(tmp_path / "tdx", TDX), "boot-log") == "warning"
    assert outcome(machine(tmp_path / "tdx", TDX | log), "boot-log") == "ok"
    assert outcome(machine(tmp_path / "azure", AZURE, AZURE_SNP), "boot-log") == "warning"


def test_azure(tmp_path: Path) -> None:
    facts = machine(tmp_path, AZURE, AZURE_SNP)
    assert outcome(facts, "tpm") == outcome(facts, "paravisor") == "ok"
    assert outcome(facts, "tsm") == outcome(facts, "sev-guest") == "not-applicable"
    assert outcome(replace(facts, metadata_service=answered()), "imds") == "ok"
    # AMD's service has the VCEK too; nobody else has a TD quote.
    without = replace(facts, metadata_service=UNREACHABLE)
    assert outcome(without, "imds") == "warning"
    tdx = machine(tmp_path, AZURE, {"azure-vtpm": TeeType.INTEL_TDX})
    assert outcome(replace(tdx, metadata_service=UNREACHABLE), "imds") == "failed"


def test_an_azure_vm_that_is_not_confidential(tmp_path: Path) -> None:
    only = {"/sys/class/dmi/id/chassis_asset_tag": ASSET_TAG}
    assert outcome(machine(tmp_path, only), "tpm") == "warning"
    facts = machine(tmp_path, AZURE, {"azure-vtpm": UnsupportedError("it has no HCL report")})
    assert outcome(facts, "paravisor") == "warning"
    assert "it has no HCL report" in finding(facts, "paravisor").detail


def test_a_vtpm_that_does_not_answer_may_be_a_confidential_one(tmp_path: Path) -> None:
    facts = machine(tmp_path, AZURE, {"azure-vtpm": UnavailableError("BAD_AUTH: a password")})
    assert outcome(facts, "paravisor") == "failed"
    assert "BAD_AUTH" in finding(facts, "paravisor").detail


def test_a_container_instance_of_azure_needs_no_paravisor(tmp_path: Path) -> None:
    facts = machine(tmp_path, AZURE | {"/dev/sev-guest": ""})
    assert outcome(facts, "paravisor") == "not-applicable"
    assert outcome(facts, "sev-guest") == "ok"


GPU_ON_BUS = {
    "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n",
    "/sys/bus/pci/devices/0000:02:00.0/vendor": "0x8086\n",
    "/sys/bus/pci/devices/0000:02:00.0/class": "0x030000\n",
}


def test_a_gpu_without_its_driver(tmp_path: Path) -> None:
    facts = machine(tmp_path, GPU_ON_BUS)
    assert outcome(facts, "nvml") == "failed"
    found = finding(facts, "nvml")
    assert "1 GPUs of NVIDIA's (0000:01:00.0)" in found.detail
    assert "libnvidia-ml.so.1" in found.remedy
    assert outcome(facts, "gpu-cc-mode") == "not-applicable"


def test_a_driver_that_does_not_answer(tmp_path: Path) -> None:
    facts = replace(machine(tmp_path, {}), gpus=UnavailableError("NVML says DRIVER_NOT_LOADED"))
    assert outcome(facts, "nvml") == "failed"
    assert outcome(facts, "gpu-driver") == "not-applicable"


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ("535.86.09", "warning"),
        ("535.54.03", "failed"),
        ("470.1", "failed"),
        ("550.54.14", "ok"),
        ("550.40.07", "warning"),
        ("1000.1", "ok"),
        ("unknown", "warning"),
    ],
)
def test_gpu_driver(tmp_path: Path, driver: str, expected: str) -> None:
    assert outcome(with_gpus(machine(tmp_path, {}), driver), "gpu-driver") == expected


def test_gpu_modes(tmp_path: Path) -> None:
    plain = machine(tmp_path, {})
    on = with_gpus(plain)
    names = ("gpu-cc-mode", "gpu-devtools", "gpu-ready")
    assert {outcome(on, name) for name in names} == {"ok"}
    assert outcome(on, "gpu-host") == "warning"
    off = with_gpus(plain, enabled=False)
    assert outcome(off, "gpu-cc-mode") == "failed"
    assert finding(off, "gpu-cc-mode").detail.startswith(
        "GPUs 0 and 1 (NVIDIA H100 80GB HBM3, driver 550.90.07): each is CC capable but CC mode is "
    )
    assert outcome(off, "gpu-devtools") == outcome(off, "gpu-ready") == "not-applicable"
    devtools = with_gpus(plain, devtools=True)
    assert outcome(devtools, "gpu-devtools") == outcome(devtools, "gpu-cc-mode") == "failed"
    assert outcome(with_gpus(plain, ready=False), "gpu-ready") == "warning"
    assert outcome(with_gpus(plain, ready=None), "gpu-ready") == "not-applicable"
    protected = with_gpus(plain, enabled=False, protected_pcie=True)
    assert "protected PCIe" in finding(protected, "gpu-cc-mode").detail


def test_gpus_that_have_no_such_mode(tmp_path: Path) -> None:
    """Nothing failed: no setting of theirs would change it."""
    old = with_gpus(machine(tmp_path, {}), architecture=8, enabled=False, capable=False)
    assert outcome(old, "gpu-cc-mode") == "warning"
    assert outcome(old, "gpu-driver") == "not-applicable"


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        ([0.4, -0.4], "ok"),
        ([20.0, 21.0], "warning"),
        ([-20.0], "warning"),
        ([61.0, 90.0], "failed"),
        ([-4000.0], "failed"),
        # One that agrees is enough: the other's clock is wrong.
        ([-4000.0, 0.1], "ok"),
        ([None], "not-applicable"),
        ([], "not-applicable"),
    ],
)
def test_clock_skew(tmp_path: Path, ahead: list[float | None], expected: str) -> None:
    services = {str(number): answered(value) for number, value in enumerate(ahead)}
    facts = replace(machine(tmp_path, {}), services=services)
    assert outcome(facts, "clock-skew") == expected


@pytest.mark.parametrize(
    ("synchronised", "expected"), [(True, "ok"), (False, "warning"), (None, "not-applicable")]
)
def test_clock(tmp_path: Path, synchronised: bool | None, expected: str) -> None:
    facts = replace(machine(tmp_path, {}), synchronised=synchronised)
    assert outcome(facts, "clock") == expected


def test_services(tmp_path: Path) -> None:
    snp = machine(tmp_path, SNP | {"/dev/sev-guest": ""})
    down = replace(snp, services=dict.fromkeys(snp.services, UNREACHABLE))
    assert outcome(snp, "amd-kds") == outcome(snp, "intel-pcs") == "ok"
    assert outcome(down, "amd-kds") == "warning"
    assert outcome(down, "intel-pcs") == outcome(down, "nvidia-rim") == "not-applicable"
    assert outcome(with_gpus(down), "nvidia-rim") == "warning"
    offline = replace(snp, services={}, offline=True)
    assert outcome(offline, "amd-kds") == outcome(offline, "clock-skew") == "not-applicable"


def test_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = machine(tmp_path / "root", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert outcome(facts, "cache") == "ok"
    assert list((tmp_path / "cache/wasmtime-attestation").iterdir()) == []
    (tmp_path / "cache/wasmtime-attestation").chmod(0o777)
    assert outcome(facts, "cache") == "warning"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert outcome(facts, "cache") == "warning"


def test_ids_are_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    assert [c.id for c in CHECKS if f"`{c.id}`" not in documented] == []
