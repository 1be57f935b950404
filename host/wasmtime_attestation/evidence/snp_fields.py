"""The structures within a SEV-SNP attestation report.

Source: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI
Specification", tables "TCB_VERSION", "Guest Policy", "PLATFORM_INFO" and the
flags of "ATTESTATION_REPORT Structure".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from struct import Struct


class ProductLine(StrEnum):
    """A line of AMD processors that share a root key, under AMD's name for it."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"


TURIN_FAMILY = 0x1A
# AMD 57230: (family, first model, last model); Bergamo and Siena are of Genoa's line.
_MODELS = (
    (0x19, 0x00, 0x0F, ProductLine.MILAN),
    (0x19, 0x10, 0x1F, ProductLine.GENOA),
    (0x19, 0xA0, 0xAF, ProductLine.GENOA),
    (TURIN_FAMILY, 0x00, 0x11, ProductLine.TURIN),
)


class SignerKind(IntEnum):
    """SIGNING_KEY: which kind of key signed the report."""

    VCEK = 0
    VLEK = 1
    NONE = 7


_SIGNER_KINDS = frozenset(SignerKind)
_remembered = lru_cache(maxsize=64)
"""For fields of which a fleet has few values, so that each is decoded once."""
# Boot loader, TEE, reserved, SNP, microcode.
_TCB = Struct("<B B 4s B B")
# FMC, boot loader, TEE, SNP, reserved, microcode.
_TURIN_TCB = Struct("<B B B B 3s B")


@dataclass(frozen=True, slots=True)
class TcbVersion:
    """TCB_VERSION: security version numbers; `fmc` exists from Turin on."""

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None

    def __str__(self) -> str:
        fmc = "" if self.fmc is None else f"FMC {self.fmc}, "
        return (
            f"{fmc}boot loader {self.boot_loader}, TEE {self.tee}, SNP {self.snp}, "
            f"microcode {self.microcode}"
        )

    @classmethod
    @_remembered
    def decode(cls, raw: bytes, is_turin: bool, name: str) -> TcbVersion:
        """Reads eight bytes; their layout changed with processor family 1Ah (Turin).

        Raises:
            ValueError: reserved bytes are set. So with the other structures here.
        """
        if is_turin:
            fmc, boot_loader, tee, snp, reserved, microcode = _TURIN_TCB.unpack(raw)
        else:
            fmc = None
            boot_loader, tee, reserved, snp, microcode = _TCB.unpack(raw)
        if any(reserved):
            raise ValueError(f"the reserved bytes of {name} must be zero")
        return cls(boot_loader, tee, snp, microcode, fmc)


@dataclass(frozen=True, slots=True)
class GuestPolicy:
    """POLICY: what the guest's owner allows its host to do."""

    abi_major: int
    abi_minor: int
    smt_allowed: bool
    migration_agent_allowed: bool
    debug_allowed: bool
    single_socket_only: bool
    cxl_allowed: bool
    aes_256_xts_required: bool
    rapl_disabled: bool
    ciphertext_hiding_required: bool
    page_swap_disabled: bool

    @classmethod
    @_remembered
    def decode(cls, bits: int) -> GuestPolicy:
        """Reads the 64 bits of POLICY."""
        if not bits >> 17 & 1:
            raise ValueError("POLICY bit 17 must be one")
        if bits >> 26:
            raise ValueError(f"POLICY is 0x{bits:x}; bits 26 and up must be zero")
        return cls(
            abi_minor=bits & 0xFF,
            abi_major=bits >> 8 & 0xFF,
            smt_allowed=bits >> 16 & 1 != 0,
            migration_agent_allowed=bits >> 18 & 1 != 0,
            debug_allowed=bits >> 19 & 1 != 0,
            single_socket_only=bits >> 20 & 1 != 0,
            cxl_allowed=bits >> 21 & 1 != 0,
            aes_256_xts_required=bits >> 22 & 1 != 0,
            rapl_disabled=bits >> 23 & 1 != 0,
            ciphertext_hiding_required=bits >> 24 & 1 != 0,
            page_swap_disabled=bits >> 25 & 1 != 0,
        )


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """PLATFORM_INFO: how the machine is set up.

    Real Turin machines set bits that the specification calls reserved, so
    these are kept as `undefined_bits` instead of being rejected.
    """

    smt_enabled: bool
    tsme_enabled: bool
    ecc_enabled: bool
    rapl_disabled: bool
    ciphertext_hiding_enabled: bool
    alias_check_complete: bool
    tio_enabled: bool
    undefined_bits: int

    @classmethod
    @_remembered
    def decode(cls, bits: int) -> PlatformInfo:
        """Reads the 64 bits of PLATFORM_INFO."""
        return cls(
            smt_enabled=bool(bits & 1),
            tsme_enabled=bool(bits >> 1 & 1),
            ecc_enabled=bool(bits >> 2 & 1),
            rapl_disabled=bool(bits >> 3 & 1),
            ciphertext_hiding_enabled=bool(bits >> 4 & 1),
            alias_check_complete=bool(bits >> 5 & 1),
            tio_enabled=bool(bits >> 7 & 1),
            undefined_bits=bits & ~0b1011_1111,
        )


@dataclass(frozen=True, slots=True)
class Cpuid:
    """Family, model and stepping of the processor."""

    family: int
    model: int
    stepping: int

    @property
    def product_line(self) -> ProductLine | None:
        """The product line, or None for a processor that has no name here."""
        for family, first, last, line in _MODELS:
            if self.family == family and first <= self.model <= last:
                return line
        return None


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """Version and build of the SNP firmware."""

    major: int
    minor: int
    build: int

    @classmethod
    @_remembered
    def decode(cls, raw: bytes, name: str) -> FirmwareVersion:
        """Reads four bytes: build, minor, major, and one that is reserved."""
        build, minor, major, reserved = raw
        if reserved:
            raise ValueError(f"the reserved byte after {name} must be zero")
        return cls(major, minor, build)


@dataclass(frozen=True, slots=True)
class KeyInformation:
    """The key flags: who signed the report, and with what."""

    author_key_enabled: bool
    chip_key_masked: bool
    signer: SignerKind

    @classmethod
    @_remembered
    def decode(cls, bits: int) -> KeyInformation:
        """Reads the 32 bits that hold AUTHOR_KEY_EN, MASK_CHIP_KEY and SIGNING_KEY."""
        kind = bits >> 2 & 0b111
        if bits >> 5:
            raise ValueError(f"the key information is 0x{bits:x}; bits 5 and up must be zero")
        if kind not in _SIGNER_KINDS:
            raise ValueError(f"SIGNING_KEY is {kind}; 0 (VCEK), 1 (VLEK) and 7 (none) exist")
        return cls(bool(bits & 1), bool(bits >> 1 & 1), SignerKind(kind))
