"""The roots that evidence may end at.

A root is pinned as SHA-256 of its SubjectPublicKeyInfo; the certificate itself
comes with the evidence or from the vendor.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wasmtime_attestation.evidence.snp_fields import ProductLine


class Role(StrEnum):
    """What a root of NVIDIA's speaks for; the roots of other vendors have no role."""

    NVIDIA_DEVICE = "devices"
    NVIDIA_RIM = "reference integrity manifests"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A root that is trusted.

    Attributes:
        name: the vendor's name for it.
        spki_sha256: SHA-256 of its SubjectPublicKeyInfo in DER.
        product_line: the processors it speaks for; None for all.
        simulated: whether what ends here is a simulation, whatever it says of itself.
        role: what alone it speaks for, where a vendor has several roots.
    """

    name: str
    spki_sha256: bytes
    product_line: ProductLine | None = None
    simulated: bool = False
    role: Role | None = None


# Fingerprints of the roots at AMD's key distribution service, /vcek/v1/{line}/cert_chain.
AMD_ROOTS = (
    Anchor(
        "AMD ARK-Milan",
        bytes.fromhex("9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
        ProductLine.MILAN,
    ),
    Anchor(
        "AMD ARK-Genoa",
        bytes.fromhex("429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
        ProductLine.GENOA,
    ),
    Anchor(
        "AMD ARK-Turin",
        bytes.fromhex("4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
        ProductLine.TURIN,
    ),
)

# Fingerprint of the root at https://certificates.trustedservices.intel.com/.
INTEL_ROOT = Anchor(
    "Intel SGX Root CA",
    bytes.fromhex("a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e"),
)

# Fingerprints of the roots in NVIDIA's attestation SDK.
NVIDIA_ROOTS = (
    Anchor(
        "NVIDIA Device Identity CA",
        bytes.fromhex("a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4"),
        role=Role.NVIDIA_DEVICE,
    ),
    Anchor(
        "NVIDIA CoRIM signing Root CA",
        bytes.fromhex("dec1dc316477aa851eebdf51327ae9f864bc8d89254657ed1e7eb9168af1e1a3"),
        role=Role.NVIDIA_RIM,
    ),
)


class Anchors:
    """The set of roots that a verification trusts.

    Args:
        roots: what is trusted. What `trusting` adds is always simulated.
    """

    def __init__(self, roots: Iterable[Anchor]) -> None:
        self._roots = tuple(roots)
        self._fingerprint = hashlib.sha256(repr(self._roots).encode()).digest()

    @property
    def fingerprint(self) -> bytes:
        """A digest of everything that is trusted and of the order, 32 bytes."""
        return self._fingerprint

    @classmethod
    def of_vendors(cls) -> Anchors:
        """Returns the hardware vendors' roots."""
        return cls((*AMD_ROOTS, INTEL_ROOT, *NVIDIA_ROOTS))

    def trusting(self, fingerprints: Iterable[bytes]) -> Anchors:
        """Returns these anchors and the roots that a user named, for simulated evidence.

        Args:
            fingerprints: SHA-256 of each root's SubjectPublicKeyInfo.
        """
        named = tuple(
            Anchor(f"trusted root {digest.hex()[:16]}", digest, simulated=True)
            for digest in fingerprints
        )
        # First: a vendor's root that a user names counts as simulated too.
        return Anchors(named + self._roots)

    def find(self, spki_sha256: bytes, role: Role | None = None) -> Anchor | None:
        """Returns the anchor with a fingerprint that has a role, or None.

        A root that a user named may have any role: what ends there is simulated.
        """
        for anchor in self._roots:
            fits = anchor.simulated or anchor.role is role
            if fits and hmac.compare_digest(anchor.spki_sha256, spki_sha256):
                return anchor
        return None
