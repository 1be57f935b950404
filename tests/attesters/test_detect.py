"""Detection says what a machine is, what it looked for, and what stands in the way."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from wasmtime_attestation.attesters.detect import Detection, detect
from wasmtime_attestation.attesters.detect.files import Files, Outcome
from wasmtime_attestation.attesters.detect.signs import Inspection
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.wit import TeeInfo, TeeType

NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)
SEV_ONLY = "AMD SEV detected (memory encrypted) but SEV-SNP not available for attestation. "
TSM = "/sys/kernel/config/tsm/report"
CPU = "vendor_id\t: {vendor}\nmodel name\t: A CPU\nflags\t\t: fpu {flags}\n\n"


class Machine:
    """The file system of a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: str, content: str = "") -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def folder(self, path: str) -> None:
        (self.root / path.lstrip("/")).mkdir(parents=True)

    def cpu(self, vendor: str, flags: str = "") -> None:
        self.file("/proc/cpuinfo", CPU.format(vendor=vendor, flags=flags) * 2)

    def registers(self, path: str, offset: int, data: bytes) -> None:
        """As the devices of the kernel's cpuid and msr modules: the position is the register."""
        if not (self.root / path.lstrip("/")).exists():
            self.file(path)
        with (self.root / path.lstrip("/")).open("r+b") as file:
            file.seek(offset)
            file.write(data)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def answer(**kinds: TeeType | AttestationError) -> Callable[[str], TeeInfo]:
    """Answers for the devices, by provider."""

    def ask(provider: str) -> TeeInfo:
        found = kinds[provider.replace("-", "_")]
        if isinstance(found, AttestationError):
            raise found
        return TeeInfo(found, supports_attestation=True, provider=provider, gpu_count=0)

    return ask


def outcomes(detection: Detection) -> dict[str, Outcome]:
    return {probe.sign.id: probe.outcome for probe in detection.probes}


@pytest.mark.parametrize(
    ("paths", "tee_type", "providers"),
    [
        ([], TeeType.NONE, ()),
        (["/dev/sev-guest"], TeeType.AMD_SEV_SNP, ("sev-guest",)),
        (["/dev/tdx_guest"], TeeType.INTEL_TDX, ("tdx-guest",)),
        (["/dev/tdx-guest"], TeeType.INTEL_TDX, ()),
        (["/sys/firmware/sev"], TeeType.AMD_SEV, ()),
        (["/sys/kernel/security/secrets/coco"], TeeType.AMD_SEV, ()),
        (["/sys/firmware/sev", "/dev/sev-guest"], TeeType.AMD_SEV_SNP, ("sev-guest",)),
        (["/sys/firmware/sev", "/sys/devices/system/cpu/sev/vmpl"], TeeType.AMD_SEV_SNP, ()),
        (["/sys/devices/platform/sev-guest"], TeeType.AMD_SEV_SNP, ()),
        (["/sys/class/misc/tdx_guest"], TeeType.INTEL_TDX, ()),
        # The host's side of SEV: guests that this machine could have.
        (["/dev/sev", "/dev/null"], TeeType.NONE, ()),
    ],
)
def test_the_kind_follows_from_the_files(
    machine: Machine, paths: list[str], tee_type: TeeType, providers: tuple[str, ...]
) -> None:
    for path in paths:
        machine.file(path)
    detection = detect(machine.root)

    assert (detection.tee_type, detection.providers) == (tee_type, providers)
    assert detection.info == TeeInfo(
        tee_type,
        supports_attestation=bool(providers),
        provider="".join(providers),
        gpu_count=0,
    )


@pytest.mark.parametrize(
    ("vendor", "flags", "tee_type"),
    [
        ("GenuineIntel", "hypervisor tdx_guest", TeeType.INTEL_TDX),
        ("GenuineIntel", "hypervisor tdx_guest_not", TeeType.NONE),
        ("AuthenticAMD", "hypervisor sev sev_es", TeeType.AMD_SEV),
        # A hypervisor may pass the flag on to any guest: it proves no SNP.
        ("AuthenticAMD", "hypervisor sev sev_es sev_snp", TeeType.AMD_SEV),
        # A host: it can have such guests, and is none.
        ("AuthenticAMD", "sme sev sev_es sev_snp", TeeType.NONE),
        ("AuthenticAMD", "hypervisor", TeeType.NONE),
    ],
)
def test_flags_of_the_processor(
    machine: Machine, vendor: str, flags: str, tee_type: TeeType
) -> None:
    machine.cpu(vendor, flags)
    assert detect(machine.root).tee_type is tee_type


@pytest.mark.parametrize(
    ("status", "tee_type"),
    [(0, TeeType.NONE), (1, TeeType.AMD_SEV), (3, TeeType.AMD_SEV), (7, TeeType.AMD_SEV_SNP)],
)
def test_sev_status(machine: Machine, status: int, tee_type: TeeType) -> None:
    """AMD publication 24593, 15.34.10: bit 0 is SEV, bit 1 SEV-ES, bit 2 SEV-SNP."""
    machine.cpu("AuthenticAMD", "hypervisor")
    machine.registers("/dev/cpu/0/msr", 0xC0010131, struct.pack("<Q", status))
    assert detect(machine.root).tee_type is tee_type


def test_leaf_21_names_a_trust_domain(machine: Machine) -> None:
    """GHCI: EBX, EDX and ECX of leaf 0x21 spell `IntelTDX    `."""
    machine.cpu("GenuineIntel", "hypervisor")
    machine.registers("/dev/cpu/0/cpuid", 0x21, b"\0\0\0\0" + b"Inte" + b"    " + b"lTDX")
    assert detect(machine.root).tee_type is TeeType.INTEL_TDX
    machine.registers("/dev/cpu/0/cpuid", 0x21, b"\0\0\0\0" + b"Intel TDX   ")
    assert detect(machine.root).tee_type is TeeType.NONE


@dataclass(frozen=True, slots=True)
class WithRegisters(Files):
    """A machine whose CPUID leaves overlap as positions, which a file cannot hold."""

    leaves: Mapping[int, bytes] = field(default_factory=dict)

    def bytes_at(self, path: str, offset: int, size: int) -> bytes:
        if path == "/dev/cpu/0/cpuid":
            return self.leaves.get(offset, bytes(16))
        return Files(self.root).bytes_at(path, offset, size)


@pytest.mark.parametrize(
    ("name", "ebx", "tee_type"),
    [
        (b"Microsoft Hv", 2, TeeType.AMD_SEV_SNP),
        (b"Microsoft Hv", 3, TeeType.INTEL_TDX),
        (b"Microsoft Hv", 1, TeeType.NONE),
        (b"KVMKVMKVM\0\0\0", 2, TeeType.NONE),
    ],
)
def test_isolation_by_hyper_v(machine: Machine, name: bytes, ebx: int, tee_type: TeeType) -> None:
    """TLFS: EBX[3:0] of leaf 0x4000000C is 1 for VBS, 2 for SNP, 3 for TDX."""
    machine.cpu("AuthenticAMD", "hypervisor")
    machine.file("/dev/cpu/0/cpuid")
    leaves = {
        0x40000000: b"\x0c\0\0\x40" + name,
        0x4000000C: struct.pack("<4I", 0x21, 0xBA0 | ebx, 0, 0),
    }
    probes = Inspection(WithRegisters(machine.root, leaves)).probes()
    assert {p.sign.id: p.tee_type for p in probes}["cpuid"] is tee_type


@pytest.mark.parametrize(
    ("file", "content", "cloud"),
    [
        ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n", "azure"),
        ("product_name", "Google Compute Engine\n", "gcp"),
        ("sys_vendor", "Amazon EC2\n", "aws"),
        ("product_name", "Standard PC (Q35 + ICH9, 2009)\n", ""),
        ("product_name", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), ""),
    ],
)
def test_clouds_are_named(machine: Machine, file: str, content: str, cloud: str) -> None:
    machine.file(f"/sys/class/dmi/id/{file}", content)
    assert detect(machine.root).surroundings.cloud == cloud


def test_reports_are_asked_for_their_provider(machine: Machine) -> None:
    machine.folder(TSM)
    machine.file("/dev/tdx_guest")
    tdx = detect(machine.root, answer(configfs_tsm=TeeType.INTEL_TDX))
    assert tdx.providers == ("configfs-tsm", "tdx-guest")
    empty = detect(machine.root, answer(configfs_tsm=UnsupportedError("no provider")))
    assert empty.providers == ("tdx-guest",)
    assert outcomes(empty)["configfs-tsm"] is Outcome.FAILED
    # A way to evidence of one kind is no fall-back for another.
    mixed = detect(machine.root, answer(configfs_tsm=TeeType.AMD_SEV_SNP))
    assert mixed.providers == ("configfs-tsm",)


def test_an_architecture_that_nobody_here_verifies_is_named(machine: Machine) -> None:
    machine.folder(TSM)
    detection = detect(machine.root, answer(configfs_tsm=TeeType.ARM_CCA))
    assert (detection.tee_type, detection.providers) == (TeeType.ARM_CCA, ())
    assert "arm-cca" in detection.refusal.message


def azure(machine: Machine) -> None:
    machine.file("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n")
    machine.file("/dev/tpmrm0")


def test_the_paravisor_comes_before_bare_devices(machine: Machine) -> None:
    azure(machine)
    machine.file("/dev/sev-guest")
    ask = answer(azure_vtpm=TeeType.AMD_SEV_SNP)
    assert detect(machine.root, ask).providers == ("azure-vtpm", "sev-guest")
    # A container instance on Azure has the device, and no paravisor.
    bare = detect(machine.root, answer(azure_vtpm=UnsupportedError("no HCL report")))
    assert bare.providers == ("sev-guest",)


def test_an_azure_vm_without_a_paravisor(machine: Machine) -> None:
    azure(machine)
    detection = detect(machine.root, answer(azure_vtpm=UnsupportedError("it has no HCL report")))
    assert detection.tee_type is TeeType.NONE
    assert detection.refusal.message.startswith(NO_TEE)
    assert "it has no HCL report" in detection.refusal.message


def test_a_tpm_elsewhere_is_not_asked(machine: Machine) -> None:
    machine.file("/dev/tpmrm0")
    assert detect(machine.root, answer()).refusal.message == NO_TEE


def unprivileged(look: Callable[[], Detection]) -> Detection:
    if os.geteuid() != 0:
        return look()
    os.seteuid(65534)
    try:
        return look()
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("path", "says"),
    [("/dev/sev-guest", "give this user the device"), ("/dev/tdx_guest", "run as root")],
)
def test_a_device_that_this_user_may_not_open(machine: Machine, path: str, says: str) -> None:
    machine.file(path)
    (machine.root / path.lstrip("/")).chmod(0)
    for folder in (machine.root, *list(machine.root.parents)[:2]):
        folder.chmod(0o755)
    detection = unprivileged(lambda: detect(machine.root))
    assert detection.tee_type is not TeeType.NONE
    assert not detection.info.supports_attestation
    assert isinstance(detection.refusal, UnavailableError)
    assert path in detection.refusal.message
    assert says in detection.refusal.message


@pytest.mark.parametrize(
    ("sign", "content"),
    [
        ("/.dockerenv", ""),
        ("/run/.containerenv", ""),
        ("/proc/1/cgroup", "0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-1.scope\n"),
    ],
)
def test_a_container_without_the_node_is_explained(
    machine: Machine, sign: str, content: str
) -> None:
    machine.file("/sys/devices/platform/sev-guest/uevent")
    machine.file(sign, content)
    detection = detect(machine.root)
    assert detection.tee_type is TeeType.AMD_SEV_SNP
    assert "--device /dev/sev-guest" in detection.refusal.message
    assert "container" in detection.refusal.message


def test_without_a_container_the_driver_is_missing(machine: Machine) -> None:
    machine.cpu("GenuineIntel", "hypervisor tdx_guest")
    assert "modprobe tdx-guest" in detect(machine.root).refusal.message
    machine.file("/dev/tdx-guest")
    assert "before Linux 6.2" in detect(machine.root).refusal.message


@pytest.mark.parametrize(
    ("paths", "message"),
    [((), NO_TEE), (("/sys/firmware/sev",), SEV_ONLY)],
)
def test_texts_that_guests_know(machine: Machine, paths: tuple[str, ...], message: str) -> None:
    for path in paths:
        machine.file(path)
    refusal = detect(machine.root).refusal
    assert isinstance(refusal, UnsupportedError)
    assert refusal.message.startswith(message)


def test_messages_fit_the_guests_of_the_field(machine: Machine) -> None:
    """They cut JSON at quotes (DESIGN section 5)."""
    azure(machine)
    machine.file("/.dockerenv")
    machine.file("/sys/devices/platform/sev-guest/uevent")
    machine.file("/dev/tdx-guest")
    message = detect(machine.root).refusal.message
    assert message.isascii()
    assert not set(message) & set('"\\')


def test_everything_that_was_looked_for_is_listed(machine: Machine) -> None:
    detection = detect(machine.root)
    assert set(outcomes(detection).values()) == {Outcome.ABSENT}
    assert len(outcomes(detection)) == len(detection.probes) >= 15


def test_nothing_of_the_machine_makes_it_wait_or_fail(machine: Machine) -> None:
    """Folders in place of files, pipes that nobody writes, files of any size and content."""
    machine.folder("/proc/cpuinfo")
    machine.folder("/dev/cpu/0/msr")
    (machine.root / "sys/class/dmi/id").mkdir(parents=True)
    os.mkfifo(machine.root / "sys/class/dmi/id/product_name")
    (machine.root / "proc/1").mkdir()
    with (machine.root / "proc/1/cgroup").open("wb") as file:
        file.truncate(1 << 33)
    assert detect(machine.root).tee_type is TeeType.NONE
