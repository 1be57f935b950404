"""Manifests (RIM): the one that a report needs, its signature, and who signed it.

What a file says beside its signed bytes only serves to find it.

Source: NVIDIA, "RIM Guide"; W3C, "XML Signature Syntax and Processing Version 1.1", section 3.2.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.rim import Rim, RimFile, decode
from wasmtime_attestation.evidence.strict_json import brief
from wasmtime_attestation.verifier import nvidia_path, p384


@dataclass(frozen=True, slots=True)
class Wanted:
    """The manifest that a report needs.

    Attributes:
        check: the check that it settles.
        id: NVIDIA's identifier for it.
        version: of the driver or VBIOS in the report.
        product: the chip; a manifest is of its architecture, and of several the chip's counts.
    """

    check: str
    id: str
    version: str
    product: str


@dataclass(frozen=True, slots=True)
class VerifiedRim:
    """A manifest that NVIDIA signed.

    Attributes:
        rim: the manifest.
        path: the certificates, from the signer's to the root's.
        anchor: the root.
        fingerprint: SHA-256 of the file and the anchor, of which everything else is a part.
    """

    rim: Rim
    path: tuple[x509.Certificate, ...]
    anchor: Anchor
    fingerprint: bytes


def candidates(wanted: Wanted, files: Sequence[RimFile], ledger: Ledger) -> tuple[RimFile, ...]:
    """Returns the files that can be meant: of the version, and not of another's name.

    Raises:
        RejectedError: a file has the right name and another version.
    """
    named = [file for file in files if _is_named(file, wanted)]
    for file in named:
        if not _is_version(file.version, wanted):
            version = brief(file.version)
            ledger.reject(
                wanted.check, f"{wanted.id} is about version {version}, not {wanted.version}"
            )
    fitting = named or [
        file for file in files if not file.name and _is_version(file.version, wanted)
    ]
    same_chip = [file for file in fitting if file.product == wanted.product]
    return tuple(same_chip or fitting)


def _is_named(file: RimFile, wanted: Wanted) -> bool:
    """Whether a file has the identifier for a name; a note may follow, as in `…_PROD`."""
    rest = file.name.removeprefix(wanted.id)
    return file.name.startswith(wanted.id) and rest[:1] in ("", "_", "-")


def _is_version(version: str, wanted: Wanted) -> bool:
    return version.casefold() == wanted.version.casefold()


def verify(
    wanted: Wanted, files: tuple[RimFile, ...], anchors: Anchors, at: datetime, ledger: Ledger
) -> VerifiedRim:
    """Verifies the manifests that can be meant, and takes the first that is good.

    NVIDIA signs a manifest again before a signer's certificate expires, so there may be two.

    Args:
        wanted: the manifest.
        files: `candidates`, at least one.
        anchors: the roots to trust.
        at: the instant at which the chain must be valid.
        ledger: records the check.

    Raises:
        RejectedError: none is good.
    """
    faults = []
    for file in files:
        try:
            verified = _verified(file, wanted, at, anchors)
        except ValueError as error:
            faults.append(str(error))
            continue
        signer, simulated = certs.common_name(verified.path[0].subject), verified.anchor.simulated
        ledger.passed(
            wanted.check,
            f"{wanted.id}, signed by {signer}, {verified.anchor.name}"
            f"{', SIMULATED' if simulated else ''}",
        )
        return verified
    ledger.reject(wanted.check, f"{wanted.id}: {'; '.join(dict.fromkeys(faults))}")


def _verified(file: RimFile, wanted: Wanted, at: datetime, anchors: Anchors) -> VerifiedRim:
    rim = decode(file.data)
    signed = rim.signed
    digest = hashlib.sha384(signed.signed_bytes).digest()
    if not hmac.compare_digest(digest, signed.digest):
        raise ValueError("the manifest was altered: its digest is another than the signed one")
    path = tuple(map(certs.load_certificate, signed.certificates))
    if not p384.is_signed(path[0].public_key(), signed.signature, signed.signed_info):
        raise ValueError("the manifest's signer did not sign it: it was altered")
    nvidia_path.check(path)
    anchor = nvidia_path.anchor_of(path[-1], Role.NVIDIA_RIM, anchors)
    fault = certs.invalid_at(path, at)
    if fault is not None:
        raise ValueError(f"at {at.isoformat()}, {fault}; fetch the manifest again")
    if not _is_version(rim.version, wanted):
        raise ValueError(f"what is signed is about version {rim.version}")
    # Drivers of several architectures have the same version; the rest of a chip's name NVIDIA
    # writes in more than one way (LS10, LS_10).
    if rim.product[:2].upper() != wanted.product[:2].upper():
        raise ValueError(f"what is signed is about {rim.product}, and this is a {wanted.product}")
    fingerprint = hashlib.sha256(file.data + repr(anchor).encode()).digest()
    return VerifiedRim(rim, path, anchor, fingerprint)
