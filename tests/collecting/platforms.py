"""The platforms that evidence is collected on, emulated at their production paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.emulation.azure import AzureVm
from tests.emulation.emulation import Emulation
from tests.emulation.hardware import endorsements
from tests.emulation.namespace import Namespace
from tests.emulation.nvml.emulation import Nvml
from tests.emulation.qgs import QuoteGenerationService
from tests.emulation.sev_guest import SevGuest
from tests.emulation.tdx_guest import TdxGuest
from tests.emulation.tsm import ConfigfsTsm

INTEL = b"vendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu hypervisor tdx_guest\n"
AMD = b"vendor_id\t: AuthenticAMD\nmodel name\t: EPYC\nflags\t\t: fpu hypervisor\n"


@dataclass(frozen=True)
class Platform:
    """A platform and what has to be said of it.

    Attributes:
        name: for test ids.
        emulations: makes what stands there.
        tee_type, provider: as `detect` says.
        display: the TEE's name in the legacy ABI.
        evidence: the kinds in a token about everything.
        cpu: /proc/cpuinfo.
        files: further paths that are there.
        policy: what its evidence has to be verified with, beside `hardware-only`.
        fine: checks of the doctor that are ok.
    """

    name: str
    emulations: Callable[[], Sequence[Emulation]]
    tee_type: str
    provider: str
    display: str
    evidence: tuple[str, ...]
    cpu: bytes
    fine: frozenset[str]
    files: tuple[str, ...] = ()
    policy: str | None = None

    def __str__(self) -> str:
        return self.name

    def start(self) -> Namespace:
        """Returns the machine."""
        files = dict.fromkeys(self.files, b"") | {"/proc/cpuinfo": self.cpu}
        return Namespace(self.emulations(), files=files)


SVSM_POLICY = 'schema = 1\nextends = "hardware-only"\n[snp]\nvmpl = [2]\n'
GPUS = ("nvidia-gpu",) * 8
TSM_CHECKS = frozenset({"tee", "kernel", "configfs", "tsm"})
GPU_CHECKS = frozenset({"nvml", "gpu-driver", "gpu-cc-mode", "gpu-devtools"})
AZURE_CHECKS = frozenset({"tee", "kernel", "tpm", "paravisor", "imds"})

TDX = Platform(
    "tdx-configfs",
    lambda: [ConfigfsTsm("tdx_guest")],
    *("intel-tdx", "configfs-tsm", "Intel TDX"),
    ("intel-tdx",),
    INTEL,
    TSM_CHECKS,
)
SNP = Platform(
    "snp-configfs",
    lambda: [ConfigfsTsm("sev_guest")],
    *("amd-sev-snp", "configfs-tsm", "AMD SEV-SNP"),
    ("amd-sev-snp",),
    AMD,
    TSM_CHECKS,
)
SNP_IOCTL = Platform(
    "snp-ioctl",
    lambda: [SevGuest()],
    *("amd-sev-snp", "sev-guest", "AMD SEV-SNP"),
    ("amd-sev-snp",),
    AMD,
    frozenset({"tee", "sev-guest"}),
)
SNP_IOCTL_BARE = Platform(
    "snp-ioctl-without-certificates",
    lambda: [SevGuest(certificates=False)],
    *("amd-sev-snp", "sev-guest", "AMD SEV-SNP"),
    ("amd-sev-snp",),
    AMD,
    frozenset({"tee", "sev-guest"}),
)
SVSM = Platform(
    "snp-svsm",
    lambda: [ConfigfsTsm("sev_guest", floor=2)],
    *("amd-sev-snp", "configfs-tsm", "AMD SEV-SNP"),
    ("amd-sev-snp",),
    AMD,
    TSM_CHECKS,
    policy=SVSM_POLICY,
)
TDX_IOCTL = Platform(
    "tdx-ioctl",
    lambda: [TdxGuest(), QuoteGenerationService()],
    *("intel-tdx", "tdx-guest", "Intel TDX"),
    ("intel-tdx",),
    INTEL,
    frozenset({"tee", "tdx-guest"}),
    files=("/dev/vsock",),
)
AZURE_SNP = Platform(
    "azure-snp",
    lambda: [AzureVm("snp")],
    *("amd-sev-snp", "azure-vtpm", "AMD SEV-SNP"),
    ("azure-snp",),
    AMD,
    AZURE_CHECKS,
)
AZURE_TDX = Platform(
    "azure-tdx",
    lambda: [AzureVm("tdx")],
    *("intel-tdx", "azure-vtpm", "Intel TDX"),
    ("azure-tdx",),
    # The paravisor hides from the guest that it is a trust domain.
    INTEL.replace(b" tdx_guest", b""),
    AZURE_CHECKS,
)
TDX_GPUS = Platform(
    "tdx-and-8-gpus",
    lambda: [ConfigfsTsm("tdx_guest"), Nvml()],
    *("intel-tdx", "configfs-tsm", "Intel TDX"),
    ("intel-tdx", *GPUS),
    INTEL,
    TSM_CHECKS | GPU_CHECKS | {"gpu-host"},
)
AZURE_GPUS = Platform(
    "azure-snp-and-8-gpus",
    lambda: [AzureVm("snp"), Nvml()],
    *("amd-sev-snp", "azure-vtpm", "AMD SEV-SNP"),
    ("azure-snp", *GPUS),
    AMD,
    AZURE_CHECKS | GPU_CHECKS | {"gpu-host"},
)
PLATFORMS = (
    TDX,
    SNP,
    SNP_IOCTL,
    SNP_IOCTL_BARE,
    SVSM,
    TDX_IOCTL,
    AZURE_SNP,
    AZURE_TDX,
    TDX_GPUS,
    AZURE_GPUS,
)


def verifying(machine: Namespace, platform: Platform) -> list[str]:
    """Returns the options with which `verify` has what it needs: roots and endorsements."""
    options: list[str] = []
    for emulation in platform.emulations():
        folder = machine.folder(emulation.name)
        for root in sorted(folder.glob("*root.pem")):
            options += ["--trust", str(root)]
        for file in endorsements(folder):
            options += ["--endorsements", str(file)]
    if platform.policy is not None:
        policy = machine.folder(platform.emulations()[0].name) / "policy.toml"
        policy.write_text(platform.policy)
        options += ["--policy", str(policy)]
    return options
