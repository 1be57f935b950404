"""The SEV-SNP ATTESTATION_REPORT, decoded strictly.

Source: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI
Specification", table "ATTESTATION_REPORT Structure".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import TypeVar

from wasmtime_attestation.evidence.reader import Reader
from wasmtime_attestation.evidence.snp_fields import (
    TURIN_FAMILY,
    Cpuid,
    FirmwareVersion,
    GuestPolicy,
    KeyInformation,
    PlatformInfo,
    TcbVersion,
)

T = TypeVar("T")

SIZE = 0x4A0
"""Bytes in a report; every version has the same size."""
SIGNED_SIZE = 0x2A0
"""The signature covers the bytes before this offset."""
VERSIONS = (2, 3, 4, 5)
"""Report versions that are understood; 4 has the fields of 3."""

FORMAT = "snp.format"
# GUEST_SVN, POLICY, FAMILY_ID, IMAGE_ID, VMPL, SIGNATURE_ALGO, CURRENT_TCB, PLATFORM_INFO, key
# information.
_PLATFORM = Struct("<I Q 16s 16s I I 8s Q I")
# REPORT_DATA, MEASUREMENT, HOST_DATA, ID_KEY_DIGEST, AUTHOR_KEY_DIGEST, REPORT_ID, REPORT_ID_MA,
# REPORTED_TCB.
_GUEST = Struct("<64s 48s 32s 48s 48s 32s 32s 8s")
# CHIP_ID, COMMITTED_TCB, CURRENT_VERSION, COMMITTED_VERSION, LAUNCH_TCB.
_CHIP = Struct("<64s 8s 4s 4s 8s")
# LAUNCH_MIT_VECTOR, CURRENT_MIT_VECTOR.
_MITIGATIONS = Struct("<Q Q")
ECDSA_P384_SHA384 = 1


@dataclass(frozen=True, slots=True)
class SnpReport:
    """A decoded report; field names are the specification's."""

    version: int
    guest_svn: int
    policy: GuestPolicy
    family_id: bytes
    image_id: bytes
    vmpl: int
    current_tcb: TcbVersion
    platform_info: PlatformInfo
    keys: KeyInformation
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: TcbVersion
    cpuid: Cpuid | None
    chip_id: bytes
    committed_tcb: TcbVersion
    current_firmware: FirmwareVersion
    committed_firmware: FirmwareVersion
    launch_tcb: TcbVersion
    launch_mitigation_vector: int | None
    current_mitigation_vector: int | None
    signature_r: int
    signature_s: int
    signed_bytes: bytes

    @property
    def firmware_is_provisional(self) -> bool:
        """Whether the running firmware can still be rolled back to the committed one."""
        return (
            self.committed_tcb != self.current_tcb
            or self.committed_firmware != self.current_firmware
        )


def decode(data: bytes) -> SnpReport:
    """Decodes a report.

    Args:
        data: exactly `SIZE` bytes.

    Raises:
        RejectedError: `snp.format`, for anything that the specification does
            not allow: another size or version, reserved bits that are set.
    """
    reader = Reader(data, FORMAT, "SEV-SNP attestation report")
    if len(data) != SIZE:
        reader.reject(f"it has {len(data)} bytes, not {SIZE}")
    version = reader.uint(4, "VERSION")
    if version not in VERSIONS:
        reader.reject(f"its version is {version}; versions {VERSIONS} are known")
    return _Decoder(reader, version, _cpuid(data, version), data).report()


def _cpuid(data: bytes, version: int) -> Cpuid | None:
    """Looks ahead: the layout of every TCB_VERSION depends on the processor."""
    return Cpuid(*data[0x188:0x18B]) if version >= 3 else None


class _Decoder:
    """Reads the fields of the table in their order."""

    def __init__(self, reader: Reader, version: int, cpuid: Cpuid | None, data: bytes) -> None:
        self._reader = reader
        self._version = version
        self._cpuid = cpuid
        self._is_turin = cpuid is not None and cpuid.family >= TURIN_FAMILY
        self._data = data

    def report(self) -> SnpReport:
        r = self._reader
        guest_svn, policy, family_id, image_id, vmpl, algorithm, *platform = r.fields(
            _PLATFORM, "GUEST_SVN to the key information"
        )
        policy = self._decoded(GuestPolicy.decode, policy)
        if algorithm != ECDSA_P384_SHA384:
            r.reject(f"SIGNATURE_ALGO is {algorithm}; only 1 (ECDSA P-384 with SHA-384) exists")
        current_tcb = self._tcb(platform[0], "CURRENT_TCB")
        platform_info = self._decoded(PlatformInfo.decode, platform[1])
        keys = self._decoded(KeyInformation.decode, platform[2])
        r.zero(4, "the reserved bytes before REPORT_DATA")
        report_data, measurement, host_data, *key_digests, report_id, report_id_ma, tcb = r.fields(
            _GUEST, "REPORT_DATA to REPORTED_TCB"
        )
        id_key_digest, author_key_digest = key_digests
        reported_tcb = self._tcb(tcb, "REPORTED_TCB")
        if self._cpuid is None:
            r.zero(24, "the reserved bytes after REPORTED_TCB")
        else:
            r.take(3, "CPUID")
            r.zero(21, "the reserved bytes after CPUID_STEP")
        chip_id, *committed, launch_tcb = r.fields(_CHIP, "CHIP_ID to LAUNCH_TCB")
        committed_tcb = self._tcb(committed[0], "COMMITTED_TCB")
        current_firmware = self._firmware(committed[1], "CURRENT_VERSION")
        committed_firmware = self._firmware(committed[2], "COMMITTED_VERSION")
        launch_tcb = self._tcb(launch_tcb, "LAUNCH_TCB")
        launch_vector, current_vector = self._mitigation_vectors()
        r.zero(SIGNED_SIZE - r.offset, "the reserved bytes before SIGNATURE")
        signature_r, signature_s = self._signature()
        return SnpReport(
            version=self._version,
            guest_svn=guest_svn,
            policy=policy,
            family_id=family_id,
            image_id=image_id,
            vmpl=vmpl,
            current_tcb=current_tcb,
            platform_info=platform_info,
            keys=keys,
            report_data=report_data,
            measurement=measurement,
            host_data=host_data,
            id_key_digest=id_key_digest,
            author_key_digest=author_key_digest,
            report_id=report_id,
            report_id_ma=report_id_ma,
            reported_tcb=reported_tcb,
            cpuid=self._cpuid,
            chip_id=chip_id,
            committed_tcb=committed_tcb,
            current_firmware=current_firmware,
            committed_firmware=committed_firmware,
            launch_tcb=launch_tcb,
            launch_mitigation_vector=launch_vector,
            current_mitigation_vector=current_vector,
            signature_r=signature_r,
            signature_s=signature_s,
            signed_bytes=self._data[:SIGNED_SIZE],
        )

    def _mitigation_vectors(self) -> tuple[int | None, int | None]:
        if self._version < 5:
            return None, None
        launch, current = self._reader.fields(_MITIGATIONS, "the mitigation vectors")
        return launch, current

    def _tcb(self, raw: bytes, name: str) -> TcbVersion:
        return self._decoded(TcbVersion.decode, raw, self._is_turin, name)

    def _firmware(self, raw: bytes, name: str) -> FirmwareVersion:
        return self._decoded(FirmwareVersion.decode, raw, name)

    def _decoded(self, decode: Callable[..., T], *raw: bytes | int | str) -> T:
        try:
            return decode(*raw)
        except ValueError as error:
            self._reader.reject(str(error))

    def _signature(self) -> tuple[int, int]:
        """R and S stand in 72 bytes each, of which P-384 uses 48."""
        r = self._reader
        signature_r = r.uint(48, "R")
        r.zero(24, "the unused bytes of R")
        signature_s = r.uint(48, "S")
        r.zero(24, "the unused bytes of S")
        r.zero(SIZE - r.offset, "the reserved bytes of SIGNATURE")
        return signature_r, signature_s
