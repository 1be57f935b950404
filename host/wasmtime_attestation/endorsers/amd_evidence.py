"""What a SEV-SNP report needs of AMD: its VCEK, the certificates above it, and the list."""

from __future__ import annotations

from cryptography import x509

from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.amd import VersionedKey
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers import amd_kds
from wasmtime_attestation.endorsers.gathering import Gathering
from wasmtime_attestation.endorsers.question import Question
from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind

# A report of version 2 does not say its processor, and Turin's firmware makes none.
_OLD_LINES = (ProductLine.MILAN, ProductLine.GENOA)
_SERVICE = "amd_kds"


def gather(report: SnpReport, gathering: Gathering) -> None:
    """Asks for what is missing; what is there and does not hold is the verifier's to refuse."""
    kind = report.keys.signer
    if kind is SignerKind.NONE or report.keys.chip_key_masked:
        return
    line = _line(report, gathering)
    if line is None:
        return
    _gather_chain(kind, line, gathering)
    _gather_list(kind, line, gathering)


def _line(report: SnpReport, gathering: Gathering) -> ProductLine | None:
    """Returns the product line, once the report's VCEK or VLEK is known or was asked for."""
    signer = _signer(report, gathering.known)
    if signer is not None:
        return signer.product_line
    lines = _OLD_LINES if report.cpuid is None else (report.cpuid.product_line,)
    if report.keys.signer is SignerKind.VLEK:
        gathering.lacks(
            "the VLEK that signed the report",
            "AMD gives it to the cloud provider alone; the host hands it over with the report "
            "(certificate table)",
        )
        return lines[0] if len(lines) == 1 else None
    if not any(report.chip_id):
        gathering.lacks("the VCEK that signed the report", "its host masks the chip id")
        return None
    return _asked_for(report, [line for line in lines if line is not None], gathering)


def _asked_for(
    report: SnpReport, lines: list[ProductLine], gathering: Gathering
) -> ProductLine | None:
    """Asks for the VCEK of each line that it may be of."""
    if not lines:
        gathering.lacks("the VCEK that signed the report", f"nothing is known of {report.cpuid}")
    before = len(gathering.missing)
    for line in lines:
        if not gathering.may_ask(_SERVICE, _root(line, gathering.known)):
            gathering.lacks(f"the VCEK of {line}", "it ends at a root that is not AMD's")
        elif gathering.ask(_vcek(report, line, gathering)):
            del gathering.missing[before:]
            return line
    return lines[0] if len(lines) == 1 else None


def _vcek(report: SnpReport, line: ProductLine, gathering: Gathering) -> Question:
    return amd_kds.vcek(gathering.urls.amd_kds, line, report.chip_id, report.reported_tcb)


def _signer(report: SnpReport, known: Endorsements) -> VersionedKey | None:
    """Returns the certificate that says to be the report's signer's."""
    for certificate in filter(amd.is_versioned_key, known.certificates):
        try:
            key = amd.decode(certificate)
        except ValueError:
            continue
        of_chip = key.hwid is None or report.chip_id.startswith(key.hwid)
        if key.kind is report.keys.signer and of_chip and key.tcb == report.reported_tcb:
            return key
    return None


def _gather_chain(kind: SignerKind, line: ProductLine, gathering: Gathering) -> None:
    wanted = {amd.issuer_name(kind, line), _root_name(line)}
    if wanted <= {certs.common_name(c.subject) for c in gathering.known.certificates}:
        return
    if gathering.may_ask(_SERVICE, _root(line, gathering.known)):
        gathering.ask(amd_kds.chain(gathering.urls.amd_kds, kind, line))


def _gather_list(kind: SignerKind, line: ProductLine, gathering: Gathering) -> None:
    """Asks for the list of the root that is there: of another root of its name, it is no use."""
    root = _root(line, gathering.known)
    if root is None or not gathering.may_ask(_SERVICE, root):
        return
    for crl in gathering.known.crls:
        if crl.issuer == root.subject and certs.is_current(crl, gathering.at):
            return
    question = amd_kds.revocation_list(gathering.urls.amd_kds, kind, line)
    obtained = gathering.try_asking(question)
    if obtained is None:
        return
    if certs.is_signed_by(obtained.endorsements.crls[0], root):
        gathering.take(obtained)
    else:
        gathering.lacks(question.what, "the service's is of another root than the evidence's")


def _root(line: ProductLine, known: Endorsements) -> x509.Certificate | None:
    named = (c for c in known.certificates if certs.common_name(c.subject) == _root_name(line))
    return next(named, None)


def _root_name(line: ProductLine) -> str:
    return f"ARK-{line}"
