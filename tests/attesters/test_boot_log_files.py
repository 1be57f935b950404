"""Boot logs as the kernel shows them."""

from __future__ import annotations

import sys

from tests.cli.tool import Outcome
from tests.emulation.namespace import Namespace

CCEL = "/sys/firmware/acpi/tables/data/CCEL"
TPM_LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"


def read(machine: Namespace, kind: str) -> Outcome:
    return machine.run(
        *(sys.executable, "-c"),
        "import sys\n"
        "from wasmtime_attestation.attesters import boot_log\n"
        "from wasmtime_attestation.errors import AttestationError\n"
        "from wasmtime_attestation.evidence.envelope import EvidenceType\n"
        f"try: print(boot_log.read(EvidenceType({kind!r})).hex())\n"
        "except AttestationError as error: print(type(error).__name__, error)",
    )


def test_logs_at_their_places() -> None:
    files = {CCEL: b"of the TD's firmware" + b"\xff" * 100, TPM_LOG: b"of the TPM"}
    with Namespace(files=files) as machine:
        assert bytes.fromhex(read(machine, "intel-tdx").out) == files[CCEL]
        assert bytes.fromhex(read(machine, "azure-snp").out) == files[TPM_LOG]
        assert bytes.fromhex(read(machine, "azure-tdx").out) == files[TPM_LOG]
        assert read(machine, "amd-sev-snp").out.startswith("UnsupportedError evidence of the kind")


def test_no_log_an_empty_one_and_one_without_end() -> None:
    with Namespace(files={TPM_LOG: b""}) as machine:
        assert "there is no boot log at /sys/firmware/acpi" in read(machine, "intel-tdx").out
        assert "is empty: mount securityfs" in read(machine, "azure-snp").out
    with Namespace(files={CCEL: bytes((4 << 20) + 1)}) as machine:
        assert "EFBIG: it has more than 4194304 bytes" in read(machine, "intel-tdx").out
