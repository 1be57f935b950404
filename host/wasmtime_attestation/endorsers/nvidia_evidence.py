"""What a report of an NVIDIA device needs: manifests, and a word on each certificate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import nvidia as devices
from wasmtime_attestation.endorsements import rim as manifests
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchors, Role
from wasmtime_attestation.endorsements.rim import RimFile
from wasmtime_attestation.endorsers import nvidia_ocsp, nvidia_rim
from wasmtime_attestation.endorsers.gathering import Gathering
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence.nvidia import NvidiaReport
from wasmtime_attestation.verifier import nvidia, nvidia_path, nvidia_revocation, rim
from wasmtime_attestation.verifier.rim import Wanted

Link = tuple[x509.Certificate, x509.Certificate]


def gather(report: NvidiaReport, gathering: Gathering) -> None:
    """Asks for what is missing; a chain that does not hold is the verifier's to refuse."""
    path = _device_path(gathering)
    if path is None:
        gathering.lacks("the device's certificates", "nobody but the device has them")
        return
    try:
        wanted = nvidia.wanted_rims(report, devices.chip(devices.hardware_model(path)))
    except ValueError:
        return
    files = [file for item in wanted for file in _manifests(item, path[-1], gathering)]
    # The responder knows nothing of a device's own certificate.
    links = [*pairwise(path[1:]), *(link for file in files for link in _signers(file))]
    if gathering.may_ask("nvidia_ocsp", path[-1]):
        _ask_standing(dict.fromkeys(links), gathering)


def _device_path(gathering: Gathering) -> list[x509.Certificate] | None:
    """Returns the path from the device's certificate to a root, by names; nothing is verified."""
    known = gathering.known.certificates
    leaves = [certificate for certificate in known if devices.is_device_leaf(certificate)]
    for leaf in leaves:
        try:
            path = nvidia_path.build(
                leaf, known, gathering.at, Anchors.of_vendors(), Role.NVIDIA_DEVICE
            )
        except (ValueError, UnavailableError):
            continue
        if len(path) > 1:
            return path
    return None


def _manifests(wanted: Wanted, root: x509.Certificate, gathering: Gathering) -> Sequence[RimFile]:
    try:
        found = rim.candidates(wanted, gathering.known.rims, Ledger())
    except RejectedError:
        return ()
    if found:
        return found
    if not gathering.may_ask("nvidia_rim", root):
        gathering.lacks(f"the manifest (RIM) {wanted.id}", "the device's root is not NVIDIA's")
        return ()
    obtained = gathering.ask(nvidia_rim.manifest(gathering.urls.nvidia_rim, wanted.id))
    return obtained.endorsements.rims if obtained else ()


def _signers(file: RimFile) -> Iterator[Link]:
    """Yields the certificates of a manifest's signer, each with its issuer's."""
    try:
        signed = manifests.decode(file.data).signed
        path = [certs.load_certificate(data) for data in signed.certificates]
    except ValueError:
        return
    yield from pairwise(path)


def _ask_standing(links: Iterable[Link], gathering: Gathering) -> None:
    for certificate, issuer in links:
        try:
            lacking = nvidia_revocation.missing(certificate, issuer, gathering.known, gathering.at)
        except ValueError:
            # It is revoked, or what is said of it is not authentic: no other word will do.
            continue
        if lacking is not None:
            gathering.ask(nvidia_ocsp.standing(gathering.urls.nvidia_ocsp, certificate, issuer))
